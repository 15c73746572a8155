"""What the models that are held ready are counted as, through a real service."""

import numpy as np
import pytest
from prometheus_client import REGISTRY as OTHERS

from dredge.service import Service
from dredge.settings import Settings
from dredge.telemetry import metrics
from dredge.waves import FitOptions


def value(name, **labels):
    return metrics.REGISTRY.get_sample_value(name, labels) or 0.0


@pytest.fixture
def service(tmp_path):
    return Service(Settings.load(dredge_data=tmp_path / "data"))


def test_a_model_is_loaded_once_and_then_found_ready(service):
    t = np.arange(200) / 100
    service.lift(np.sin(2 * np.pi * 5 * t), sample_rate=100.0, options=FitOptions(waves=1), save_as="tone")
    hits, misses, loads = (value(f"dredge_{name}_total", **labels) for name, labels in
                           (("cache_hits", {"cache": "models"}), ("cache_misses", {"cache": "models"}), ("model_loads", {})))
    for _ in range(3):
        service.evaluate("tone", [0.5])
    assert value("dredge_cache_hits_total", cache="models") - hits == 2
    assert value("dredge_cache_misses_total", cache="models") - misses == 1
    assert value("dredge_model_loads_total") - loads == 1
    assert value("dredge_models_ready") == 1


def test_a_lift_is_counted_as_a_fit(service):
    before = value("dredge_fit_seconds_count")
    service.lift(np.hanning(64))
    assert value("dredge_fit_seconds_count") - before == 1


def test_points_are_counted(service):
    service.lift(np.hanning(64), options=FitOptions(waves=1), save_as="bump")
    before = value("dredge_points_evaluated_total")
    service.evaluate("bump", np.linspace(0, 63, 17))
    assert value("dredge_points_evaluated_total") - before == 17


def test_every_name_begins_with_dredge():
    names = [family.name for family in metrics.REGISTRY.collect()]
    assert names
    assert all(name.startswith("dredge_") for name in names)
    assert not [family for family in OTHERS.collect() if family.name.startswith("dredge_")], "one registry holds them all"
