"""Where a store may be, and what a person is told when it cannot."""

import errno
import os
import shutil
import tempfile
import time
from pathlib import Path

import pytest

from dredge.errors import DredgeError, InvalidSetting, StoreUnavailable
from dredge.store import Store


def test_a_folder_is_made_and_its_address_may_be_written_in_many_ways(tmp_path, monkeypatch, put_model):
    put_model(Store.open(tmp_path / "deep" / "a folder"), "m")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for place in (
        "deep/a folder",
        f"file://{tmp_path}/deep/a%20folder",
        tmp_path / "deep" / "a folder",
        "~/deep/a folder",
    ):
        assert [record.name for record in Store.open(place).models().items] == ["m"]


@pytest.mark.parametrize(
    "place",
    ["", "  ", "\0", "ftp://host/x", "http://host/x", "s3://", "s3:///x", "redis://x", "file://host/x", "az://"],
)
def test_an_address_that_cannot_be_a_store_is_refused_with_the_name_of_the_setting(place):
    with pytest.raises(InvalidSetting) as caught:
        Store.open(place)
    assert caught.value.field == "DREDGE_STORE"
    assert caught.value.hint


def test_a_file_in_place_of_the_folder_is_named(tmp_path):
    (tmp_path / "file").write_text("hello")
    for place in (tmp_path / "file", tmp_path / "file" / "store"):
        with pytest.raises(StoreUnavailable, match="file") as caught:
            Store.open(place)
        assert "DREDGE_STORE" in str(caught.value)


def test_a_store_that_answers_passes_the_check(store):
    store.check()
    store.check(write=True)
    assert list(store.keys()) == []


def test_a_folder_that_vanished_is_reported(tmp_path):
    store = Store.open(tmp_path / "store")
    shutil.rmtree(tmp_path / "store")
    with pytest.raises(StoreUnavailable, match="is gone"):
        store.check()


def test_a_folder_that_may_not_be_written_is_reported():
    """As another user when the tests run as root, whom nothing stops."""
    folder = tempfile.mkdtemp()
    store = Store.open(folder)
    Path(folder).chmod(0o555)
    answers = as_a_plain_user(store.check, lambda: store.reserve_version("m", {}), lambda: Store.open(f"{folder}/deeper"))
    shutil.rmtree(folder)
    for answer in answers:
        assert answer.startswith("StoreUnavailable: The store, the folder")
        assert "may not be used by this user. Give the user that runs dredge the right" in answer


def as_a_plain_user(*actions):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.getuid() == 0:
                os.setuid(65534)
            for action in actions:
                os.write(writer, (answer_of(action) + "\n").encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answers:
        text = answers.read()
    os.waitpid(child, 0)
    assert text.count("\n") == len(actions)
    return text.splitlines()


def answer_of(action):
    try:
        return f"no error: {action()}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "full disk"),
        (errno.EDQUOT, "quota"),
        (errno.EROFS, "read-only"),
        (errno.EIO, "disk"),
        (errno.ENODEV, "device"),
    ],
)
def test_a_disk_that_fails_is_explained_and_nothing_is_half_written(
    tmp_path, make_signal, put_model, monkeypatch, number, words
):
    store = Store.open(tmp_path)

    def fail(descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    for write in (
        lambda: store.put_signal(make_signal()),
        lambda: store.reserve_version("m", {}),
        lambda: put_model(store, "m", 1),
        lambda: store.put_file("results/j/x", iter([b"a"])),
        lambda: store.check(write=True),
    ):
        with pytest.raises(StoreUnavailable, match=words) as caught:
            write()
        assert "Errno" not in str(caught.value)
    monkeypatch.undo()

    assert list(store.keys()) == []
    assert not list((tmp_path / ".unfinished").iterdir())
    assert store.put_signal(make_signal())


def test_a_file_over_the_limit_of_the_system_is_explained(tmp_path, make_signal):
    """A real refusal of the kernel in the middle of a write."""
    import resource

    store = Store.open(tmp_path)
    signal = make_signal(size=50_000)

    def write():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        store.put_signal(signal)

    (answer,) = as_a_plain_user_in(tmp_path, write)
    assert answer.startswith("StoreUnavailable: The store")
    assert "may not hold a file that large" in answer
    assert list(store.keys()) == []
    assert not list((tmp_path / ".unfinished").iterdir())


def as_a_plain_user_in(folder, *actions):
    """In a child of this process, since limits cannot be raised again."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        for action in actions:
            os.write(writer, (answer_of(action) + "\n").encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answers:
        text = answers.read()
    os.waitpid(child, 0)
    return text.splitlines()


def test_a_disk_without_hard_links_still_creates_once(tmp_path, put_model, monkeypatch):
    store = Store.open(tmp_path)

    def refuse(*_):
        raise OSError(errno.EPERM, "no hard links here")

    monkeypatch.setattr(os, "link", refuse)
    assert [store.reserve_version("m", {}) for _ in range(3)] == [1, 2, 3]
    first = put_model(store, "m", 1, data=b"first")
    assert put_model(store, "m", 1, data=b"second") == first
    assert store.model_bytes("m", 1) == b"first"


def test_a_missing_bucket_is_named_whatever_is_asked(s3_environment, make_signal, put_model):
    store = Store.open("s3://there-is-none/folder")
    for ask in (
        store.check,
        store.signals,
        store.models,
        store.usage,
        lambda: store.model("m"),
        lambda: store.model("m", 1),
        lambda: put_model(store, "m", 1),
        lambda: store.put_signal(make_signal()),
        lambda: store.checkpoint("j"),
    ):
        with pytest.raises(StoreUnavailable, match=r"s3://there-is-none/folder, does not exist. Make the bucket"):
            ask()


def test_a_server_that_does_not_answer_is_reported_soon(s3_environment, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    started = time.monotonic()
    with pytest.raises(StoreUnavailable, match="does not answer"):
        Store.open("s3://bucket/folder").check()
    assert time.monotonic() - started < 20


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (403, "InvalidAccessKeyId", "does not accept the credentials"),
        (403, "SignatureDoesNotMatch", "does not accept the credentials"),
        (403, "AccessDenied", "may not be used with these credentials"),
        (400, "ExpiredToken", "does not accept the credentials"),
        (418, "Teapot", "does not work"),
    ],
)
def test_credentials_that_a_bucket_refuses_are_explained_and_never_shown(s3_environment, monkeypatch, status, code, words):
    with answering(status, f"<Error><Code>{code}</Code><Message>no</Message></Error>") as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")
        store = Store.open("s3://bucket/folder")
        for ask in (store.check, lambda: store.model("m", 1), lambda: store.put_checkpoint("j", b"x")):
            with pytest.raises(StoreUnavailable, match=words) as caught:
                ask()
            assert "very-secret" not in str(caught.value)
            assert "\n" not in str(caught.value)
            assert "Debug" not in str(caught.value)


class answering:  # noqa: N801
    """A server that gives every request one answer."""

    def __init__(self, status, body):
        from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            do_GET = do_PUT = do_DELETE = do_POST = answer  # noqa: N815

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self):
        import threading

        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def test_missing_credentials_are_a_sentence(s3_environment, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(DredgeError) as caught:
        Store.open("s3://bucket/folder").check()
    assert "\n" not in str(caught.value)
