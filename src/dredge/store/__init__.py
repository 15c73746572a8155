"""The catalogue of signals and models, in a folder or a bucket."""

from dredge.store.names import check_name
from dredge.store.records import ModelAxis, ModelRecord, Page, SignalAxis, SignalRecord, Usage
from dredge.store.store import Store, copy_store

__all__ = [
    "ModelAxis",
    "ModelRecord",
    "Page",
    "SignalAxis",
    "SignalRecord",
    "Store",
    "Usage",
    "check_name",
    "copy_store",
]
