"""What goes wrong under a store, as sentences: full disks, read-only folders, missing buckets, wrong keys."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

from dredge.errors import StoreUnavailable

BY_NUMBER = {
    errno.ENOSPC: ("is on a full disk", "Free some space; nothing was half-written."),
    errno.EDQUOT: ("is over its quota", "Free some space or raise the quota; nothing was half-written."),
    errno.EFBIG: (
        "may not hold a file that large",
        "Raise the limit on the size of files; nothing was half-written.",
    ),
    errno.EROFS: ("is on a read-only disk", "Mount it for writing, or set DREDGE_STORE to another place."),
    errno.EACCES: (
        "may not be used by this user",
        "Give the user that runs dredge the right to read and write it.",
    ),
    errno.EPERM: (
        "may not be used by this user",
        "Give the user that runs dredge the right to read and write it.",
    ),
    errno.ENOTDIR: ("cannot be a folder: a part of its path is a file", "Set DREDGE_STORE to a folder."),
    errno.EEXIST: ("cannot be a folder: it is a file", "Set DREDGE_STORE to a folder."),
    errno.EIO: (
        "is on a disk that reports errors",
        "Look at the disk, then restore from a backup if files are damaged.",
    ),
}
# What object stores answer, in the order in which to look. HTTP status codes where no name is given.
BY_ANSWER = (
    (
        r"NoSuchBucket|ContainerNotFound|bucket does not exist",
        "does not exist",
        "Make the bucket, or correct DREDGE_STORE.",
    ),
    (
        r"InvalidAccessKeyId|SignatureDoesNotMatch|InvalidToken|ExpiredToken"
        r"|AuthenticationFailed|Unauthenticated|status code: 401",
        "does not accept the credentials",
        "Check the keys, for S3 AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    ),
    (
        r"AccessDenied|PermissionDenied|AuthorizationFailure|Forbidden|status code: 403",
        "may not be used with these credentials",
        "Give them the right to list, read, write and delete.",
    ),
    (r"SlowDown|TooManyRequests|status code: 429", "asks for fewer requests", "Try again in a moment."),
    (
        r"[Cc]onnection|dns|timed out|(?<!retry_)[Tt]imeout|error sending request",
        "does not answer",
        "Check the network and the endpoint, for S3 AWS_ENDPOINT_URL.",
    ),
)


ADDRESS = re.compile(r"https?://\S+")  # names in it may hold any word
# Without credentials in the environment, the machine's own metadata service is asked for some.
METADATA = re.compile(r"//(169\.254\.1|metadata\.google)|CredentialsNotLoaded|MissingCredential")


@contextmanager
def explain_os_error(where: str) -> Iterator[None]:
    """Turn an OSError inside the block into StoreUnavailable."""
    try:
        yield
    except OSError as error:
        what, hint = BY_NUMBER.get(error.errno or 0, (f"does not work: {error.strerror or error}", None))
        raise StoreUnavailable(f"The store, {where}, {what}.", hint=hint) from error


def explain_answer(where: str, error: Exception) -> StoreUnavailable:
    """StoreUnavailable for what an object store answered."""
    said = str(error).partition("\n\nDebug source")[0]
    if METADATA.search(said):
        return StoreUnavailable(
            f"The store, {where}, needs credentials.",
            hint="Set them in the environment, for S3 AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        )
    text = f"{type(error).__name__} {ADDRESS.sub('', said)}"
    for pattern, what, hint in BY_ANSWER:
        if re.search(pattern, text):
            return StoreUnavailable(f"The store, {where}, {what}.", hint=hint)
    return StoreUnavailable(f"The store, {where}, does not work: {said.splitlines()[0][:200]}.")
