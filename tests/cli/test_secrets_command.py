"""The secrets of a deployment: made once, replaced by nobody, and a certificate that fits."""

import datetime
import json
import ssl
import stat

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from dredge.cli import secrets as module

WORDS = "correct horse"


def certificate(folder):
    return x509.load_pem_x509_certificate((folder / "tls.crt").read_bytes())


def test_they_are_made_once_and_fit_together(dredge, tmp_path):
    assert dredge("secrets", "s").code == 0
    before = {path: path.read_bytes() for path in (tmp_path / "s").rglob("*") if path.is_file()}
    again = dredge("secrets", "s")
    assert again.err == "", "nothing is made a second time"
    assert {path: path.read_bytes() for path in (tmp_path / "s").rglob("*") if path.is_file()} == before

    password = (tmp_path / "s/redis/password").read_text()
    assert (tmp_path / "s/redis/url").read_text() == f"redis://:{password}@redis:6379/0"
    assert json.loads((tmp_path / "s/redis/exporter").read_text()) == {"redis://redis:6379": password}
    assert dredge("config", DREDGE_API_KEYS_FILE=str(tmp_path / "s/api/keys")).code == 0
    assert {stat.S_IMODE(path.stat().st_mode) for path in before} == {0o444}


def test_they_are_shown_only_when_asked_for(dredge, tmp_path):
    quiet = dredge("secrets", "s")
    key = (tmp_path / "s/api/keys").read_text().strip().rpartition(":")[2]
    assert key not in quiet.out + quiet.err
    assert key in dredge("secrets", "s", "--show").out


def test_grafanas_password_is_the_operators_when_there_is_one(dredge, tmp_path):
    dredge("secrets", "s")
    dredge("secrets", "s", GRAFANA_PASSWORD=WORDS)
    assert (tmp_path / "s/grafana/password").read_text() == WORDS


def test_the_certificate_is_one_that_tls_takes_and_names_its_hosts(dredge, tmp_path):
    dredge("secrets", "s", TLS_NAMES="dredge.example.org, other.example.org")
    folder = tmp_path / "s/tls"
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(folder / "tls.crt", folder / "tls.key")
    names = certificate(folder).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "dredge.example.org", "other.example.org"]


def test_a_certificate_of_its_own_is_renewed_before_it_ends(dredge, tmp_path, monkeypatch):
    dredge("secrets", "s")
    first = certificate(tmp_path / "s/tls").serial_number
    later = module._now() + datetime.timedelta(days=module.VALID_DAYS - module.RENEW_DAYS + 1)
    monkeypatch.setattr(module, "_now", lambda: later)
    dredge("secrets", "s")
    assert certificate(tmp_path / "s/tls").serial_number != first


@pytest.fixture
def own(dredge, tmp_path):
    dredge("secrets", "elsewhere")
    (tmp_path / "elsewhere/tls").rename(tmp_path / "own")
    for file in (tmp_path / "own").iterdir():
        file.chmod(0o644)
    return tmp_path / "own"


def test_the_operators_pair_is_taken(dredge, own, tmp_path):
    dredge("secrets", "s", "--own-pair", own)
    assert (tmp_path / "s/tls/tls.crt").read_bytes() == (own / "tls.crt").read_bytes()
    assert (tmp_path / "s/tls/tls.key").read_bytes() == (own / "tls.key").read_bytes()


def test_an_empty_folder_of_the_operator_means_a_pair_of_its_own(dredge, tmp_path):
    (tmp_path / "own").mkdir()
    assert dredge("secrets", "s", "--own-pair", "own").code == 0
    assert (tmp_path / "s/tls/tls.crt").exists()


@pytest.mark.parametrize(("spoil", "words"), [
    (lambda own: (own / "tls.key").unlink(), "cannot be read"),
    (lambda own: (own / "tls.crt").write_text("nothing"), "not a certificate"),
    (lambda own: (own / "tls.key").write_bytes(b"-----BEGIN NOTHING-----"), "not a certificate"),
    (lambda own: (own / "tls.key").write_bytes(module._self_signed(["a"])[1]), "is not the key of"),
])
def test_a_pair_that_does_not_fit_is_refused(dredge, own, tmp_path, spoil, words):
    spoil(own)
    assert words in dredge("secrets", "s", "--own-pair", own).refusal
    assert not (tmp_path / "s/tls/tls.crt").exists()


def test_an_expired_pair_is_refused_with_its_date(dredge, own, tmp_path, monkeypatch):
    ended = certificate(own).not_valid_after_utc
    monkeypatch.setattr(module, "_now", lambda: ended + datetime.timedelta(days=1))
    assert f"expired on {ended:%Y-%m-%d}" in dredge("secrets", "s", "--own-pair", own).refusal


def test_a_key_with_a_passphrase_is_refused(dredge, own):
    key = serialization.load_pem_private_key((own / "tls.key").read_bytes(), None)
    (own / "tls.key").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"hush")))
    assert "unencrypted" in dredge("secrets", "s", "--own-pair", own).refusal


def test_a_folder_that_cannot_be_written_is_named(dredge, tmp_path):
    (tmp_path / "s").write_text("in the way")
    assert "s/tls/tls.key" in dredge("secrets", "s").refusal
