"""Results and checkpoints of jobs."""

import pytest

from dredge.errors import Conflict, NotFound


def test_a_result_is_streamed_in_and_out(store):
    pieces = [b"head", memoryview(b"x" * 6_000_000), b"", b"tail"]
    key = store.put_file("results/job-1/values.npy", iter(pieces))
    assert key == "results/job-1/values.npy"
    back = list(store.open_file(key))
    assert len(back) > 1
    assert b"".join(back) == b"".join(pieces)

    store.put_file("results/job-1/small", b"1")
    assert b"".join(store.open_file("results/job-1/small")) == b"1"
    store.put_file("results/job-1/empty", iter([]))
    assert b"".join(store.open_file("results/job-1/empty")) == b""


def test_a_stream_that_fails_leaves_nothing_and_its_error_comes_through(store):
    def pieces():
        yield b"x" * 6_000_000
        raise Conflict("Cancelled in the middle.")

    with pytest.raises(Conflict, match="in the middle"):
        store.put_file("results/job-1/values.npy", pieces())
    with pytest.raises(NotFound):
        store.open_file("results/job-1/values.npy")
    assert list(store.keys()) == []


def test_a_file_that_is_not_there_is_not_found_before_the_first_piece(store):
    with pytest.raises(NotFound, match="results/none/x"):
        store.open_file("results/none/x")


def test_the_last_checkpoint_counts(store):
    assert store.checkpoint("job-1") is None
    store.put_checkpoint("job-1", b"one")
    store.put_checkpoint("job-1", b"two")
    assert store.checkpoint("job-1") == b"two"
    assert store.checkpoint("job-2") is None
    store.drop_checkpoint("job-1")
    store.drop_checkpoint("job-1")
    assert store.checkpoint("job-1") is None


def test_all_that_a_job_left_can_be_forgotten(store):
    store.put_checkpoint("j", b"x")
    store.put_file("results/j/a", b"x")
    store.put_file("results/jj/a", b"x")
    store.delete_files("j")
    assert list(store.keys()) == ["results/jj/a"]
