"""Who may come in: API keys with scopes, and checks of the Host and Origin that a request names.

A key is given in the settings as `name:scopes:key`, scopes joined with `+`; only its SHA-256 is kept. On loopback without
keys everyone is `local` with every scope.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Literal, get_args
from urllib.parse import urlsplit

from dredge.errors import InvalidSetting, NotAllowed, NotAuthenticated
from dredge.settings import LOOPBACK, Settings

Scope = Literal["read", "write", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)


@dataclass(frozen=True)
class Caller:
    """Who is asking, and what they may do."""

    name: str
    scopes: frozenset[str]

    def require(self, scope: Scope) -> None:
        """Raise NotAllowed unless the caller has `scope`; admin includes write, write includes read."""
        if not self.scopes & set(SCOPES[SCOPES.index(scope):]):
            raise NotAllowed(f"The key {self.name!r} does not have the scope {scope!r}.", field="Authorization")


EVERYONE = Caller("local", frozenset(SCOPES))


@dataclass(frozen=True)
class Access:
    """The keys and hosts that one process accepts."""

    keys: dict[str, Caller]  # by SHA-256 of the key
    hosts: frozenset[str]
    any_host: bool

    @classmethod
    def from_settings(cls, settings: Settings) -> Access:
        """Read keys and hosts. Raises InvalidSetting for a key that is not `name:scopes:key`."""
        hosts = {h.strip().lower() for h in settings.allowed_hosts.split(",") if h.strip()}
        # A server on every interface cannot know its names: it checks only those it was told.
        any_host = "*" in hosts or (settings.dredge_host in {"0.0.0.0", "::"} and not hosts)
        return cls(_read_keys(settings.dredge_api_keys.get_secret_value()),
                   frozenset(hosts | LOOPBACK | {settings.dredge_host.lower()}), any_host)

    def identify(self, authorization: str | None) -> Caller:
        """The caller behind an `Authorization: Bearer KEY` header. Raises NotAuthenticated."""
        if not self.keys:
            return EVERYONE
        scheme, _, key = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            raise NotAuthenticated("This server needs an API key.", field="Authorization",
                                   hint="Send it as `Authorization: Bearer KEY`.")
        digest = hashlib.sha256(key.strip().encode()).hexdigest()
        found = None
        for known, caller in self.keys.items():  # every key is compared, so that time tells nothing
            if hmac.compare_digest(known, digest):
                found = caller
        if found is None:
            raise NotAuthenticated("This API key is not known.", field="Authorization")
        return found

    def check_host(self, host: str | None) -> None:
        """Raise NotAllowed when the Host header names a server that this is not (DNS rebinding)."""
        name = (urlsplit(f"//{host}").hostname or "") if host else ""
        if not self.any_host and name not in self.hosts:
            raise NotAllowed(f"This server does not answer to the host name {name!r}.", field="Host",
                             hint="Add it to ALLOWED_HOSTS.")

    def check_origin(self, origin: str | None, host: str | None) -> None:
        """Raise NotAllowed when a page of another site sends the request."""
        if origin is None or (host and urlsplit(origin).netloc == host):
            return
        if (urlsplit(origin).hostname or "") not in self.hosts:
            raise NotAllowed(f"Requests from pages of {origin} are not accepted.", field="Origin",
                             hint="Add its host name to ALLOWED_HOSTS.")


def refuse_open_door(settings: Settings) -> None:
    """Raise InvalidSetting when the servers would listen beyond loopback and let anyone in."""
    if settings.is_loopback or settings.dredge_auth == "none" or settings.dredge_api_keys.get_secret_value():
        return
    raise InvalidSetting(
        f"DREDGE_HOST={settings.dredge_host} can be reached from other machines, and there are no API keys.",
        field="DREDGE_API_KEYS",
        hint="Set DREDGE_API_KEYS (`dredge keys new NAME` makes one), or DREDGE_AUTH=none to let anyone in.")


def _read_keys(text: str) -> dict[str, Caller]:
    callers = {}
    for entry in filter(None, (part.strip() for part in text.replace("\n", ",").split(","))):
        name, _, rest = entry.partition(":")
        scopes, _, key = rest.partition(":")
        wanted = set(scopes.split("+"))
        if not name or len(key) < 16 or not wanted <= set(SCOPES):
            raise InvalidSetting(f"The API key entry of {name or '(no name)'!r} cannot be used.", field="DREDGE_API_KEYS",
                                 hint="Write name:scopes:key, with scopes from read+write+admin and a key of 16 characters "
                                      "or more.")
        callers[hashlib.sha256(key.encode()).hexdigest()] = Caller(name, frozenset(wanted))
    return callers
