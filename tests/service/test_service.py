"""The use cases, on a store in a folder and the embedded queue, with no server."""

import dataclasses

import numpy as np
import pytest

from dredge import errors
from dredge.service import Service
from dredge.settings import Settings
from dredge.signals import example
from dredge.waves import FitOptions, WaveField


@pytest.fixture
def service(tmp_path):
    return Service(Settings.load(dredge_data=tmp_path))


@pytest.fixture
def chirp():
    """Half a second of one chirplet at 500 samples a second, and the field that it came from."""
    field = WaveField.chirplets([0.25], [0.05], [2 * np.pi * 40], [2 * np.pi * 100], [1.0], [0.5], domain=(0, 0.498))
    times = np.arange(250) / 500
    return times, field(times), field


class InlineContext:
    """A worker's side of a job, run in this process."""

    def __init__(self, job):
        self.job = job
        self.attempt = 1
        self.seen = []

    def progress(self, fraction, stage, error=None, message=""):
        self.seen.append((fraction, stage, error, message))

    def should_stop(self):
        return None

    def require_lease(self):
        return None


def run(service, job):
    context = InlineContext(job)
    return context, service.handlers()[job.kind](context, job.payload)


def test_a_recording_goes_in_and_its_waves_come_out(service):
    record = service.import_signal(example("ecg"))
    assert record.samples == 1024

    job = service.submit_fit(record.id, FitOptions(waves=12), model="heart")
    context, result = run(service, job)

    assert result["model"] == "heart"
    assert result["version"] == 1
    assert result["scores"]["snr_db"] >= 20, "the goal for twelve waves on this ECG"
    fractions = [fraction for fraction, *_ in context.seen]
    assert fractions == sorted(fractions), "progress never goes back"

    model = service.model("heart")
    assert model.signal == record.id
    assert model.numbers == 73
    assert model.software.startswith("dredge ")
    events = service.events("heart", sort="amplitude", descending=True)
    assert len(events) == 12
    assert events[0].amplitude >= events[-1].amplitude
    at = service.signal(record.id).axes[0].coordinates
    residual = service.evaluate("heart", at) - service.signal(record.id).channel(0)
    assert np.mean(residual**2) == pytest.approx(result["scores"]["error"], rel=1e-6)


def test_a_lift_answers_at_once_and_keeps_nothing_unless_asked(service, chirp):
    times, samples, truth = chirp

    lifted = service.lift(samples, sample_rate=500, options=FitOptions(waves=1))

    assert lifted.model is None
    assert not service.models().items
    assert lifted.field(times) == pytest.approx(truth(times), abs=1e-6)
    [event] = lifted.events
    assert event.frequency == pytest.approx(40, rel=1e-4)
    assert event.chirp_rate == pytest.approx(100, rel=1e-3)

    kept = service.lift(samples, sample_rate=500, options=FitOptions(waves=1), save_as="tone")
    assert kept.model.name == "tone"
    assert service.evaluate("tone", times) == pytest.approx(lifted.field(times), abs=1e-12)


def test_a_score_between_the_samples_finds_a_model_that_aliases(chirp):
    from dredge.analysis import error_between_samples
    from dredge.signals import from_samples

    times, samples, truth = chirp
    signal = from_samples(samples, sample_rate=500)
    aliased = dataclasses.replace(truth, wavenumber=truth.wavenumber + 2 * np.pi * 500)

    assert aliased(times) == pytest.approx(samples, abs=1e-9), "on the samples nothing shows"
    assert error_between_samples(signal, truth) < 1e-6
    assert error_between_samples(signal, aliased) > 0.01


def test_a_text_is_lifted_by_its_code_points(service):
    lifted = service.lift(text="Digital memory must be human-reachable.")
    assert lifted.signal.samples.shape == (1, 39)
    assert lifted.signal.samples[0, 0] == ord("D")


def test_a_job_that_runs_twice_writes_once(service, chirp):
    _, samples, _ = chirp
    record = service.import_samples(samples, sample_rate=500, name="A Chirp!")
    job = service.submit_fit(record.id, FitOptions(waves=1))
    assert job.payload["model"] == "a-chirp"

    _, first = run(service, job)
    _, second = run(service, job)

    assert (first["model"], first["version"]) == (second["model"], second["version"])
    assert len(service.versions("a-chirp")) == 1


def test_versions_count_up_and_the_newest_answers(service, chirp):
    times, samples, _ = chirp
    record = service.import_samples(samples, sample_rate=500)
    for waves in (1, 2):
        run(service, service.submit_fit(record.id, FitOptions(waves=waves), model="m"))
    assert [v.version for v in service.versions("m")] == [1, 2]
    assert service.model("m").version == 2
    comparison = service.compare("m", "m", first_version=1, second_version=2)
    assert comparison.points == 250
    assert comparison.second_error <= comparison.first_error + 1e-15

    service.delete_model("m", 2)
    assert service.model("m").version == 1
    service.delete_model("m")
    with pytest.raises(errors.ModelNotFound):
        service.evaluate("m", times)


def test_a_grid_that_is_too_large_for_an_answer_becomes_a_file(service, chirp):
    times, samples, _ = chirp
    service.lift(samples, sample_rate=500, options=FitOptions(waves=1), save_as="m")

    job = service.submit_evaluation("m", None, [(0.0, 0.498, 250)])
    _, result = run(service, job)

    import io

    data = b"".join(service.store.open_file(result["file"]))
    assert np.load(io.BytesIO(data)) == pytest.approx(service.evaluate("m", times), abs=1e-12)


def test_requests_over_the_limits_are_refused_before_any_work(tmp_path, chirp):
    _, samples, _ = chirp
    service = Service(Settings.load(dredge_data=tmp_path, max_lift_samples=100, max_waves=8, max_evaluate_cost=100))
    with pytest.raises(errors.TooLarge, match="250 samples"):
        service.lift(samples)
    record = service.import_samples(samples)
    with pytest.raises(errors.InvalidInput, match="over the limit of 8"):
        service.submit_fit(record.id, FitOptions(waves=9))
    run(service, service.submit_fit(record.id, FitOptions(waves=2), model="m"))
    with pytest.raises(errors.TooLarge, match="points × waves"):
        service.evaluate("m", np.zeros(101))
    with pytest.raises(errors.TooLarge):
        service.submit_evaluation("m", None, [(0, 1, 10**10)])


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"samples": ["a", "b"]}, "samples"),
        ({"samples": [1.0, float("nan"), 2.0]}, "samples"),
        ({"samples": [1.0, float("inf"), 2.0]}, "samples"),
        ({"samples": []}, "samples"),
        ({"samples": [1.0]}, "samples"),
        ({"samples": [[[1.0, 2.0]]]}, "samples"),
        ({"samples": [1.0, 2.0], "sample_rate": 0}, "sample_rate"),
        ({"samples": [1.0, 2.0], "unit": "bananas"}, "unit"),
        ({"samples": [1.0, 2.0], "save_as": "../../etc/passwd"}, "name"),
        ({}, "samples"),
    ],
)
def test_what_cannot_be_lifted_is_named_and_nothing_is_kept(service, values, field):
    with pytest.raises(errors.InvalidInput) as caught:
        service.lift(**values)
    assert caught.value.field == field
    assert not service.models().items
    assert not service.signals().items


def test_a_constant_signal_is_its_constant(service):
    lifted = service.lift([3.5] * 64)
    assert len(lifted.field) == 0
    assert lifted.field([0.0, 10.0]) == pytest.approx([3.5, 3.5])


def test_the_example_is_made_once(service):
    first = service.make_example()
    assert first.scores["snr_db"] >= 20
    assert service.make_example() == first


def test_a_plot_is_a_picture_with_or_without_its_signal(service, chirp):
    _, samples, _ = chirp
    lifted = service.lift(samples, sample_rate=500, options=FitOptions(waves=1), save_as="m")
    assert service.plot("m").startswith(b"\x89PNG")
    service.delete_signal(lifted.signal.sha256)
    assert b"<svg" in service.plot("m", format="svg")
