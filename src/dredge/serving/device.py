"""Where models are evaluated: the CPU, or a GPU for requests that are worth the way there and back."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from dredge.errors import InvalidSetting
from dredge.waves import cost, evaluate

WORTH_THE_WAY = 1_000_000  # points × waves; below that a core is done before the points have reached the GPU


def choose_device(asked: Literal["auto", "cpu", "cuda"]) -> torch.device:
    """The device for DEVICE. Raises InvalidSetting when CUDA is asked for and there is none."""
    if asked != "cpu" and torch.cuda.is_available():
        return torch.device("cuda")
    if asked == "cuda":
        raise InvalidSetting("DEVICE=cuda, but no CUDA device can be seen.", field="DEVICE",
                             hint="Set DEVICE=auto, or look at the driver with nvidia-smi.")
    return torch.device("cpu")


def describe_device(device: torch.device) -> str:
    """One sentence for the log of a start."""
    if device.type == "cuda":
        return f"large requests are evaluated on {torch.cuda.get_device_name(device)}"
    return "models are evaluated on the CPU; no CUDA device is used"


def evaluate_on(device: torch.device, model: Any, points: Any) -> npt.NDArray[np.float64]:
    """Values of a model at points, [N], computed where it is quickest."""
    count = len(points) if hasattr(points, "__len__") else 1
    if device.type == "cpu" or cost(model, count) < WORTH_THE_WAY:
        return np.asarray(evaluate(model, points), dtype=np.float64)
    there = torch.as_tensor(np.asarray(points, dtype=np.float64), device=device)
    with torch.no_grad():
        return np.asarray(evaluate(model, there).cpu().numpy(), dtype=np.float64)
