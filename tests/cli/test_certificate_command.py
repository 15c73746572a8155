"""The certificate that nginx shows: the operator's, taken when it changes, or one of its own, renewed in time."""

import datetime
import ssl
import threading

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from dredge.cli import certificate as module
from dredge.settings import Settings
from waiting import free_ports, wait_until


def certificate(folder):
    return x509.load_pem_x509_certificate((folder / "tls.crt").read_bytes())


def test_a_pair_of_its_own_is_one_that_tls_takes_and_names_its_hosts(dredge, tmp_path):
    dredge("certificate", "tls", "--once", TLS_NAMES="dredge.example.org, other.example.org")
    folder = tmp_path / "tls"
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(folder / "tls.crt", folder / "tls.key")
    names = certificate(folder).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "dredge.example.org", "other.example.org"]


def test_a_pair_that_is_good_stays(dredge, tmp_path):
    dredge("certificate", "tls", "--once")
    first = certificate(tmp_path / "tls").serial_number
    dredge("certificate", "tls", "--once")
    assert certificate(tmp_path / "tls").serial_number == first


@pytest.mark.parametrize("spoil", [
    lambda folder: (folder / "tls.crt").unlink(),
    lambda folder: (folder / "tls.key").unlink(),
    lambda folder: (folder / "tls.crt").chmod(0o644) or (folder / "tls.crt").write_text("nothing"),
])
def test_a_pair_of_its_own_that_is_broken_is_made_again(dredge, tmp_path, spoil):
    dredge("certificate", "tls", "--once")
    spoil(tmp_path / "tls")
    dredge("certificate", "tls", "--once")
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tmp_path / "tls/tls.crt", tmp_path / "tls/tls.key")


def test_a_pair_of_its_own_is_renewed_before_it_ends(dredge, tmp_path, monkeypatch):
    dredge("certificate", "tls", "--once")
    first = certificate(tmp_path / "tls").serial_number
    later = module._now() + datetime.timedelta(days=module.VALID_DAYS - module.RENEW_DAYS + 1)
    monkeypatch.setattr(module, "_now", lambda: later)
    dredge("certificate", "tls", "--once")
    assert certificate(tmp_path / "tls").serial_number != first


@pytest.fixture
def own(dredge, tmp_path):
    """A pair of the operator."""
    dredge("certificate", "own", "--once")
    for file in (tmp_path / "own").iterdir():
        file.chmod(0o644)
    return tmp_path / "own"


def test_the_operators_pair_is_taken(dredge, own, tmp_path):
    dredge("certificate", "tls", "--once", "--own-pair", own)
    assert (tmp_path / "tls/tls.crt").read_bytes() == (own / "tls.crt").read_bytes()
    assert (tmp_path / "tls/tls.key").read_bytes() == (own / "tls.key").read_bytes()


def test_an_empty_folder_of_the_operator_means_a_pair_of_its_own(dredge, tmp_path):
    (tmp_path / "own").mkdir()
    assert dredge("certificate", "tls", "--once", "--own-pair", "own").code == 0
    assert (tmp_path / "tls/tls.crt").exists()


@pytest.mark.parametrize(("spoil", "words"), [
    (lambda own: (own / "tls.key").unlink(), "cannot be read"),
    (lambda own: (own / "tls.crt").write_text("nothing"), "not a certificate"),
    (lambda own: (own / "tls.key").write_bytes(b"-----BEGIN NOTHING-----"), "not a certificate"),
    (lambda own: (own / "tls.key").write_bytes(module._self_signed(["a"])[1]), "is not the key of"),
])
def test_a_pair_that_does_not_fit_is_refused(dredge, own, tmp_path, spoil, words):
    spoil(own)
    assert words in dredge("certificate", "tls", "--once", "--own-pair", own).refusal
    assert not (tmp_path / "tls/tls.crt").exists()


def test_an_expired_pair_is_refused_with_its_date(dredge, own, tmp_path, monkeypatch):
    ended = certificate(own).not_valid_after_utc
    monkeypatch.setattr(module, "_now", lambda: ended + datetime.timedelta(days=1))
    assert f"expired on {ended:%Y-%m-%d}" in dredge("certificate", "tls", "--once", "--own-pair", own).refusal


def test_a_key_with_a_passphrase_is_refused(dredge, own):
    key = serialization.load_pem_private_key((own / "tls.key").read_bytes(), None)
    (own / "tls.key").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"hush")))
    assert "unencrypted" in dredge("certificate", "tls", "--once", "--own-pair", own).refusal


def test_while_it_runs_it_says_what_is_wrong_once_and_heals_by_itself(own, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)
    [port] = free_ports(1)
    health = f"http://127.0.0.1:{port}/health/ready"
    good = (own / "tls.key").read_bytes()
    stop = threading.Event()
    keeper = module.Keeper(tmp_path / "tls", own)
    running = threading.Thread(target=keeper.run, args=(Settings(metrics_port=port), stop))
    running.start()
    try:
        wait_until((tmp_path / "tls/tls.crt").exists, "the pair")
        assert httpx.get(health).status_code == 200

        (own / "tls.key").write_bytes(module._self_signed(["a"])[1])
        wait_until(lambda: httpx.get(health).status_code == 503, "trouble")
        assert "is not the key of" in httpx.get(health).json()["error"]
        assert (tmp_path / "tls/tls.key").read_bytes() == good, "what is shown stays"

        (own / "tls.key").write_bytes(good)
        wait_until(lambda: httpx.get(health).status_code == 200, "health")
    finally:
        stop.set()
        running.join(10)
    assert sum("is not the key of" in line for line in caplog.messages) == 1


def test_when_it_ends_is_a_metric(own, tmp_path):
    [family] = module.Keeper(own).collect()
    assert family.samples[0].value == certificate(own).not_valid_after_utc.timestamp()
