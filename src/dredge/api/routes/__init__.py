"""The routes, an area a file."""

from dredge.api.routes.card import card
from dredge.api.routes.compare import comparing
from dredge.api.routes.fits import fits
from dredge.api.routes.inference import inference, inference_health
from dredge.api.routes.jobs import jobs
from dredge.api.routes.lift import lifting
from dredge.api.routes.models import models
from dredge.api.routes.signals import signals

AREAS = (card, lifting, signals, fits, jobs, models, comparing, inference, inference_health)

__all__ = ["AREAS"]
