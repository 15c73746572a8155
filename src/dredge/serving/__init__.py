"""Models held ready, and the Open Inference Protocol over them."""

from dredge.serving.device import choose_device, describe_device, evaluate_on
from dredge.serving.open_inference import HEADER_LENGTH, ModelSource, OpenInference
from dredge.serving.ready import ModelEvent, ReadyModels

__all__ = ["HEADER_LENGTH", "ModelEvent", "ModelSource", "OpenInference", "ReadyModels", "choose_device",
           "describe_device", "evaluate_on"]
