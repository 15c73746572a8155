"""Names from outside become paths, so what is not plainly a name is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dredge.errors import InvalidInput
from dredge.store import Store, check_name
from dredge.store.names import check_key, check_version

TRICKS = [
    "", ".", "..", "../x", "..\\x", "a/b", "a\\b", "/etc/passwd", "\0", "a\0b", "%2e%2e", "%2e%2e%2fx", "a..b",
    ".hidden", "-flag", "_x", "Upper", "é", "a b", "a\n", "a\n/b", "ａ", "💓", "x" * 101, "~", "c:", "con:", "a*",
    None, 5, b"abc", ["a"],
]  # fmt: skip


@pytest.mark.parametrize("name", TRICKS, ids=ascii)
def test_a_name_that_could_be_a_path_is_refused_everywhere(name, tmp_path, put_model):
    store = Store.open(tmp_path / "store")
    asked = [
        lambda: check_name(name),
        lambda: store.reserve_version(name, {}),
        lambda: put_model(store, name, 1),
        lambda: store.model(name),
        lambda: store.model(name, 1),
        lambda: store.model_bytes(name, 1),
        lambda: store.versions(name),
        lambda: store.delete_model(name),
    ]
    for ask in asked:
        with pytest.raises(InvalidInput) as caught:
            ask()
        assert caught.value.field == "name"
        assert len(str(caught.value)) < 250
    assert not list((tmp_path / "store").iterdir())
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


@pytest.mark.parametrize("name", ["a", "0", "ecg", "ecg-2", "heart.v1", "a_b-c.d", "x" * 100, "1.2.3"])
def test_a_plain_name_is_taken(name):
    assert check_name(name) == name


@given(st.text(max_size=120))
def test_a_name_that_is_taken_is_one_visible_part_of_a_path(name):
    try:
        check_name(name)
    except InvalidInput:
        return
    assert name.isascii()
    assert not set(name) & set("/\\%\0: ")
    assert not name.startswith(".")
    assert ".." not in name


@pytest.mark.parametrize("version", [0, -1, True, 1.0, "1", 10**10, float("nan"), "../1", [1]])
def test_a_version_is_a_whole_number_from_one_up(version, tmp_path):
    store = Store.open(tmp_path)
    for ask in (lambda: check_version(version), lambda: store.model("m", version)):
        with pytest.raises(InvalidInput) as caught:
            ask()
        assert caught.value.field == "version"


@pytest.mark.parametrize("signal", ["", "abc", "abcdefg", "g" * 64, "0" * 65, "../" + "0" * 61, "0" * 63 + "/", None, 7])
def test_an_id_of_a_signal_is_hexadecimal_and_eight_digits_or_more(signal, tmp_path):
    store = Store.open(tmp_path)
    for ask in (store.signal_record, store.signal, store.delete_signal):
        with pytest.raises(InvalidInput) as caught:
            ask(signal)
        assert caught.value.field == "signal"


@pytest.mark.parametrize("job", ["", "..", "a/b", "../../x", ".x", "a\0", "%2e", "x" * 300, None])
def test_an_id_of_a_job_is_one_part_of_a_path(job, tmp_path):
    store = Store.open(tmp_path)
    for ask in (
        lambda: store.put_checkpoint(job, b"x"),
        lambda: store.checkpoint(job),
        lambda: store.drop_checkpoint(job),
    ):
        with pytest.raises(InvalidInput) as caught:
            ask()
        assert caught.value.field == "job"


@pytest.mark.parametrize(
    "key",
    [
        "",
        "results",
        "results/",
        "results/../x",
        "/results/a",
        "results//a",
        "results/a\0",
        "results/j/../../models/m",
        "results/" + "x" * 2000,
        "results/.a",
        None,
    ],
)
def test_a_key_stays_inside_the_store(key, tmp_path):
    store = Store.open(tmp_path / "store")
    for ask in (
        lambda: check_key(key),
        lambda: store.put_file(key, b"x"),
        lambda: store.open_file(key),
        lambda: store.put_raw(key, b"x"),
        lambda: store.get_raw(key),
    ):
        with pytest.raises(InvalidInput) as caught:
            ask()
        assert caught.value.field == "key"


@pytest.mark.parametrize("key", ["models/m/1/manifest.json", "signals/x/samples.npy", "checkpoints/j/fit"])
def test_a_job_writes_under_results_only(key, tmp_path):
    store = Store.open(tmp_path)
    with pytest.raises(InvalidInput) as caught:
        store.put_file(key, b"x")
    assert caught.value.field == "key"
