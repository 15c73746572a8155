"""The certificate that nginx shows: the operator's pair, or one signed by itself; taken, renewed and watched while nginx runs."""

from __future__ import annotations

import datetime
import ipaddress
import logging
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from dredge.cli.secrets import write
from dredge.errors import DredgeError, InvalidInput
from dredge.settings import Settings
from dredge.telemetry import exporter

log = logging.getLogger("dredge.certificate")
VALID_DAYS = 825  # the longest that browsers take
RENEW_DAYS = 30
LOOK_SECONDS = 5.0


class Keeper(Collector):
    """Keeps tls.crt and tls.key in `folder`, which nginx reads at each handshake.

    A pair in `own` is copied there whenever it changes; without one a self-signed pair for localhost and `names` is made, and
    made again 30 days before it ends. A pair that does not fit, or has expired, replaces nothing.
    """

    def __init__(self, folder: Path, own: Path | None = None, names: Sequence[str] = ()) -> None:
        self._own = own
        self._names = ["localhost", *names]
        self._certificate, self._key = folder / "tls.crt", folder / "tls.key"
        self._trouble: str | None = None

    def look(self) -> None:
        """Take or renew the pair where that is due. Raises DredgeError when it cannot, or when what is shown has expired."""
        if self._own is not None and _exists(self._own / "tls.crt"):
            self._take(self._own / "tls.crt", self._own / "tls.key")
        elif not _exists(self._key) or self._ends() < _now() + datetime.timedelta(days=RENEW_DAYS):
            certificate, key = _self_signed(self._names)
            write(self._key, key)
            write(self._certificate, certificate)
            log.info("made a certificate for %s, signed by itself", ", ".join(self._names))

    def trouble(self) -> str | None:
        """What was wrong at the last look, as a sentence."""
        return self._trouble

    def collect(self) -> Iterator[Any]:
        """When the certificate ends."""
        yield GaugeMetricFamily("dredge_certificate_not_after_timestamp_seconds", "When the certificate that nginx shows ends",
                                value=self._ends().timestamp())

    def run(self, settings: Settings, stop: threading.Event) -> None:
        """Look every few seconds until `stop` is set; meanwhile answer /health and /metrics."""
        with exporter.answering(settings.dredge_host, settings.metrics_port, [self], ready=self.trouble,
                                with_metrics=settings.metrics_enabled):
            while not stop.is_set():
                self._look_and_tell()
                stop.wait(LOOK_SECONDS)

    def _look_and_tell(self) -> None:
        try:
            self.look()
            trouble = None
        except DredgeError as error:
            trouble = str(error)
        if trouble and trouble != self._trouble:
            log.error(trouble)
        elif self._trouble and not trouble:
            log.info("the certificate is well again")
        self._trouble = trouble

    def _take(self, certificate: Path, key: Path) -> None:
        pair = _read(certificate), _read(key)
        _check(certificate, key, *pair)
        if not _exists(self._key) or pair != (_read(self._certificate), _read(self._key)):
            write(self._key, pair[1])
            write(self._certificate, pair[0])
            log.info("took %s, valid until %s", certificate, f"{self._ends():%Y-%m-%d}")

    def _ends(self) -> datetime.datetime:
        from cryptography import x509

        try:
            return x509.load_pem_x509_certificate(_read(self._certificate)).not_valid_after_utc
        except (InvalidInput, ValueError):  # none, or not one
            return datetime.datetime.fromtimestamp(0, datetime.UTC)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        raise DredgeError(f"{path} cannot be looked at: {error.strerror}.") from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.", field="tls",
                           hint="tls.crt and tls.key are needed, readable for the user that this runs as.") from None


def _check(certificate: Path, key: Path, certificate_pem: bytes, key_pem: bytes) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    try:
        first = x509.load_pem_x509_certificates(certificate_pem)[0]
        private = serialization.load_pem_private_key(key_pem, None)
    except (ValueError, TypeError, IndexError):
        raise InvalidInput(f"{certificate} and {key} are not a certificate and an unencrypted key in PEM.", field="tls") from None
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    if first.public_key().public_bytes(*form) != private.public_key().public_bytes(*form):
        raise InvalidInput(f"{key} is not the key of {certificate}.", field="tls")
    if first.not_valid_after_utc < _now():
        raise InvalidInput(f"The certificate {certificate} expired on {first.not_valid_after_utc:%Y-%m-%d}.", field="tls",
                           hint="Put a new pair there, or empty the folder for a self-signed one.")


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
