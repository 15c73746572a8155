"""Pictures: that each panel is there, in the right units, and that bad samples are refused."""

import sys

import numpy as np
import pytest
from reference_waves import random_field

from dredge.errors import InvalidInput
from dredge.waves import AxisLabel, QuasimotoWave, WaveField, draw, png, svg


def chirplets(**options):
    return WaveField.chirplets([0.3, 0.7], [0.05, 0.1], [60, -30], [100, 0], [1, 0.5], [0, 1], unit="mV", **options)


def titles(figure):
    return [panel.get_title(loc="left") for panel in figure.axes]


def test_a_recording_has_samples_waves_residual_and_plane():
    field = chirplets()
    at = np.linspace(0, 1, 500)
    noise = np.random.default_rng(0).normal(size=500) * 0.01
    figure = draw(field, field(at) + noise, at, title="Example")
    assert titles(figure)[0] == "Example"
    assert "one by one" in titles(figure)[1]
    assert "dB below the samples" in titles(figure)[2]
    assert "frequency" in titles(figure)[3]
    assert figure.axes[0].get_ylabel() == "Value (mV)"
    assert figure.axes[3].get_xlabel() == "Time (s)"
    assert figure.axes[3].get_ylabel() == "Frequency (Hz)"
    left = figure.axes[2].lines[0].get_ydata()
    assert left == pytest.approx(noise, abs=1e-12)


def test_without_samples_the_residual_is_left_out():
    assert len(draw(chirplets()).axes) == 3
    assert len(draw(chirplets(domain=(0.5, 0.5))).axes) == 3
    assert len(draw(chirplets().take([])).axes) == 3


def test_axes_without_unit_count_samples():
    figure = draw(chirplets(axis=AxisLabel("sample", "1")))
    assert figure.axes[-1].get_xlabel() == "Sample"
    assert figure.axes[-1].get_ylabel() == "Frequency (1/sample)"


def test_long_recordings_keep_their_extremes():
    values = np.zeros(300_000)
    values[123_456] = 7.0
    figure = draw(chirplets(), values)
    drawn = figure.axes[0].lines[0].get_ydata()
    assert drawn.size < 10_000
    assert drawn.max() == 7.0


def test_several_dimensions_are_cut_through_the_strongest_wave():
    field = random_field(1, 3, 3, 3)
    figure = draw(field, np.zeros((8, 9, 10)))
    assert len([t for t in titles(figure) if t.startswith("Residual at axis")]) == 3
    assert titles(draw(random_field(1, 3, 2, 2)))[0] == "Model"


def test_files_are_pictures_and_repeat():
    figure = draw(chirplets(), title="Two waves")
    assert png(figure).startswith(b"\x89PNG")
    assert b"<svg" in svg(figure)[:1000]
    assert svg(draw(chirplets())) == svg(draw(chirplets()))


def test_no_display_and_no_global_figures():
    draw(chirplets())
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()


@pytest.mark.parametrize(("samples", "coordinates", "field"), [
    (["a"], None, "samples"), ([1.0, float("nan")], None, "samples"), ([[1.0]], None, "samples"),
    ([[1.0], [1.0, 2.0]], None, "samples"), ([1.0, 2.0], [0.0], "coordinates"), ([], None, "coordinates"),
])
def test_samples_that_do_not_fit_are_refused(samples, coordinates, field):
    with pytest.raises(InvalidInput) as caught:
        draw(chirplets(), samples, coordinates)
    assert caught.value.field == field


def test_original_models_have_no_picture():
    with pytest.raises(InvalidInput, match="Convert it"):
        draw(QuasimotoWave())
