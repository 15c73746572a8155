"""Where models are evaluated."""

import numpy as np
import pytest
import torch

from dredge.errors import InvalidSetting
from dredge.serving import choose_device, describe_device, evaluate_on
from dredge.serving.device import WORTH_THE_WAY
from dredge.waves import WaveField, evaluate

FIELD = WaveField.chirplets([0.3, 0.6], [0.1, 0.2], [40.0, 90.0], [3.0, -5.0], [1.0, 2.0], [0.5, 0.0])
without_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")


@without_gpu
def test_without_a_gpu_auto_means_the_cpu_and_says_so():
    assert choose_device("auto") == torch.device("cpu")
    assert "CPU" in describe_device(choose_device("auto"))


@without_gpu
def test_a_gpu_that_is_asked_for_and_is_not_there_stops_the_start():
    with pytest.raises(InvalidSetting, match="no CUDA device") as refused:
        choose_device("cuda")
    assert refused.value.field == "DEVICE"


@pytest.mark.parametrize("device", ["cpu", "meta", pytest.param("cuda", marks=pytest.mark.gpu)])
def test_few_points_stay_on_the_cpu_whatever_the_device(device):
    points = np.linspace(0, 1, 17)
    assert evaluate_on(torch.device(device), FIELD, points) == pytest.approx(evaluate(FIELD, points), abs=0)


@pytest.mark.gpu
def test_many_points_give_the_same_values_on_the_gpu():
    points = np.linspace(0, 1, WORTH_THE_WAY)
    assert evaluate_on(torch.device("cuda"), FIELD, points) == pytest.approx(evaluate(FIELD, points), abs=1e-12)
