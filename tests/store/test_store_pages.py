"""Lists by page: every item once, whatever comes and goes meanwhile, and only the page is read."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dredge.errors import InvalidInput
from dredge.store.pages import cut, decode, encode


def follow(ask, limit):
    pages, cursor = [], None
    while True:
        page = ask(cursor=cursor, limit=limit)
        pages.append(page.items)
        cursor = page.next_cursor
        if cursor is None:
            return pages


def test_pages_hold_every_signal_once(store, make_signal):
    ids = {store.put_signal(make_signal(seed, size=4)).id for seed in range(7)}
    pages = follow(store.signals, 3)
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [item.id for page in pages for item in page] == sorted(ids)
    assert len(store.signals(limit=500).items) == 7
    assert store.signals(limit=7).next_cursor is None


def test_pages_hold_every_model_once_at_its_newest_version(store, put_model):
    for name in "abcde":
        put_model(store, name)
        put_model(store, name)
    pages = follow(store.models, 2)
    assert [[(item.name, item.version) for item in page] for page in pages] == [
        [("a", 2), ("b", 2)], [("c", 2), ("d", 2)], [("e", 2)]]  # fmt: skip


def test_a_cursor_holds_its_place_while_models_come_and_go(store, put_model):
    for name in ("b", "d", "f", "h"):
        put_model(store, name)
    first = store.models(limit=2)
    assert [item.name for item in first.items] == ["b", "d"]

    put_model(store, "a")
    put_model(store, "c")
    put_model(store, "e")
    store.delete_model("d")
    rest = store.models(cursor=first.next_cursor, limit=50)

    assert [item.name for item in rest.items] == ["e", "f", "h"]


def test_only_the_manifests_of_the_page_are_read(store, make_signal, put_model, watch):
    for seed in range(20):
        store.put_signal(make_signal(seed, size=4))
        put_model(store, f"m{seed}")

    watched = watch(store)
    page = watched.signals(limit=3)
    assert len(watched.files.gets) == 3
    watched.signals(cursor=page.next_cursor, limit=4)
    assert len(watched.files.gets) == 7
    assert all(key.endswith("manifest.json") for key in watched.files.gets)

    watched = watch(store)
    watched.models(limit=5)
    assert len(watched.files.gets) == 5


def test_what_is_unfinished_does_not_shorten_a_page(store, put_model):
    for name in "abcdef":
        if name in "ace":
            store.reserve_version(name, {})
        else:
            put_model(store, name)
    assert [item.name for item in store.models(limit=2).items] == ["b", "d"]


def test_an_empty_store_has_one_empty_page(store):
    assert (store.signals().items, store.signals().next_cursor) == ([], None)
    assert (store.models().items, store.models().next_cursor) == ([], None)


BAD_CURSORS = [
    "",
    "x",
    "!!",
    "é",
    "a" * 1000,
    "c2lnbmFsczo=",
    5,
    b"c2lnbmFsczo",
    "\0",
    "../..",
    [],
    encode("m", "models"),
]


@pytest.mark.parametrize("cursor", BAD_CURSORS, ids=ascii)
def test_a_cursor_that_this_list_did_not_give_is_refused(store, cursor):
    with pytest.raises(InvalidInput) as caught:
        store.signals(cursor=cursor)
    assert caught.value.field == "cursor"


@pytest.mark.parametrize("limit", [0, -1, 501, 10**9, True, "5", 2.0, None])
def test_a_limit_outside_one_to_five_hundred_is_refused(store, limit):
    for ask in (store.signals, store.models):
        with pytest.raises(InvalidInput) as caught:
            ask(limit=limit)
        assert caught.value.field == "limit"


@given(st.text(max_size=100), st.sampled_from(["signals", "models"]))
def test_a_cursor_remembers_its_name(name, what):
    assert decode(encode(name, what), what) == name


@given(st.text(max_size=60))
def test_any_text_is_a_cursor_or_an_invalid_input(text):
    try:
        decode(text, "models")
    except InvalidInput as error:
        assert error.field == "cursor"


@settings(deadline=None)
@given(st.sets(st.text("abcdef", min_size=1, max_size=4), max_size=40), st.integers(1, 10), st.booleans())
def test_pages_put_together_are_the_list(names, limit, far):
    names = sorted(names)

    def ask(*, cursor, limit):
        read = lambda name: None if "f" in name else name  # noqa: E731
        return cut(names, read, what="names", cursor=cursor, limit=limit, far=far)

    pages = follow(ask, limit)
    assert [item for page in pages for item in page] == [name for name in names if "f" not in name]
    assert all(len(page) == limit for page in pages[:-1])
