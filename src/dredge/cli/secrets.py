"""The secrets of a deployment: made once, kept in files, never shown unless asked for."""

from __future__ import annotations

import datetime
import ipaddress
import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from dredge.errors import DredgeError, InvalidInput

VALID_DAYS = 825  # the longest that browsers take
RENEW_DAYS = 30
NAMES = ("localhost",)
READABLE = 0o444  # each lies in a folder that only its own service can see


def make_secrets(folder: Path, *, grafana_password: str = "", names: str = "", own_pair: Path | None = None,
                 https_port: int = 443, say: Callable[[str], None] = lambda _: None) -> None:
    """Write what is missing below `folder`; what is there stays.

        api/keys            an entry of DREDGE_API_KEYS with all scopes
        redis/password      of Redis
        redis/url           the same as REDIS_URL
        redis/exporter      the same as the exporter for Prometheus reads it
        grafana/password    `grafana_password` when given, which also replaces an older one
        tls/port.map        for nginx, which has to know on which port HTTPS is published; written each time
        tls/tls.crt, .key   a copy of the pair in `own_pair`, else a self-signed pair for localhost and `names`

    Raises DredgeError when a file cannot be written, InvalidInput for a pair that is not one or has expired.
    """
    _pair(folder / "tls", own_pair, [name.strip() for name in names.split(",") if name.strip()], say)
    _write(folder / "tls/port.map", "" if https_port == 443 else f'"~." ":{https_port}";\n')
    _once(folder / "api/keys", lambda: f"operator:read+write+admin:{secrets.token_urlsafe(32)}\n", say)
    _once(folder / "redis/password", lambda: secrets.token_urlsafe(32), say)
    password = (folder / "redis/password").read_text().strip()
    _once(folder / "redis/url", lambda: f"redis://:{password}@redis:6379/0", say)
    _once(folder / "redis/exporter", lambda: json.dumps({"redis://redis:6379": password}), say)
    if grafana_password:
        _write(folder / "grafana/password", grafana_password)
    _once(folder / "grafana/password", lambda: secrets.token_urlsafe(24), say)


def _once(path: Path, make: Callable[[], str], say: Callable[[str], None]) -> None:
    try:
        missing = not path.exists() or path.stat().st_size == 0
    except OSError as error:
        raise DredgeError(f"{path} cannot be looked at: {error.strerror}.") from None
    if missing:
        _write(path, make())
        say(f"made {path}")


def _write(path: Path, content: str | bytes) -> None:
    data = content.encode() if isinstance(content, str) else content
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, READABLE), "wb") as file:
            file.write(data)
        part.replace(path)
    except OSError as error:
        raise DredgeError(f"{path} cannot be written: {error.strerror}.",
                          hint="Does its folder belong to the user that this runs as?") from None


def _pair(folder: Path, own: Path | None, names: list[str], say: Callable[[str], None]) -> None:
    certificate, key = folder / "tls.crt", folder / "tls.key"
    if own is not None and (own / "tls.crt").exists():
        _check_pair(own / "tls.crt", own / "tls.key")
        _write(key, (own / "tls.key").read_bytes())
        _write(certificate, (own / "tls.crt").read_bytes())
        say(f"took the certificate of {own}")
    elif not (certificate.exists() and key.exists()) or _ends_soon(certificate):
        made_certificate, made_key = _self_signed([*NAMES, *names])
        _write(key, made_key)
        _write(certificate, made_certificate)
        say(f"made {certificate}, signed by itself")


def _check_pair(certificate: Path, key: Path) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    try:
        first = x509.load_pem_x509_certificates(certificate.read_bytes())[0]
        private = serialization.load_pem_private_key(key.read_bytes(), None)
    except OSError as error:
        raise InvalidInput(f"{error.filename} cannot be read: {error.strerror}.", field="tls",
                           hint="tls.crt and tls.key are needed, readable for the user that this runs as.") from None
    except (ValueError, TypeError, IndexError):
        raise InvalidInput(f"{certificate} and {key} are not a certificate and an unencrypted key in PEM.", field="tls") from None
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    if first.public_key().public_bytes(*form) != private.public_key().public_bytes(*form):
        raise InvalidInput(f"{key} is not the key of {certificate}.", field="tls")
    if first.not_valid_after_utc < _now():
        raise InvalidInput(f"The certificate {certificate} expired on {first.not_valid_after_utc:%Y-%m-%d}.", field="tls",
                           hint="Put a new pair there, or empty the folder for a self-signed one.")


def _ends_soon(certificate: Path) -> bool:
    from cryptography import x509

    ends = x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc
    return ends < _now() + datetime.timedelta(days=RENEW_DAYS)


def _self_signed(names: list[str]) -> tuple[bytes, bytes]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    addresses = [x509.IPAddress(ipaddress.ip_address(address)) for address in ("127.0.0.1", "::1")]
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(_now() - datetime.timedelta(hours=1))
        .not_valid_after(_now() + datetime.timedelta(days=VALID_DAYS))
        .add_extension(x509.SubjectAlternativeName([*(x509.DNSName(each) for each in names), *addresses]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256()))
    return (certificate.public_bytes(serialization.Encoding.PEM),
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
