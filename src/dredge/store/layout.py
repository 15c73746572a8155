"""Where things lie.

    signals/<sha256>/manifest.json                  the record; it exists, therefore the signal exists
    signals/<sha256>/samples.npy                    [channels, *axes] little-endian float64
    models/<name>/<version>/claim.json              who set this version aside; kept: no number comes twice
    models/<name>/<version>/waves-<16 digits>.safetensors
    models/<name>/<version>/manifest.json           the record; it exists, therefore the version exists
    results/<job>/<file>                            what a job wrote
    checkpoints/<job>/fit                           where a fit may go on

Weights carry the start of their hash in their name. Two runs of one job may then write at once, and the
manifest that wins still stands beside its own weights.
"""

from __future__ import annotations

SIGNALS = "signals"
MODELS = "models"
RESULTS = "results"
CHECKPOINTS = "checkpoints"
MANIFEST = "manifest.json"
CLAIM = "claim.json"
SAMPLES = "samples.npy"


def signal_manifest(sha256: str) -> str:
    return f"{SIGNALS}/{sha256}/{MANIFEST}"


def signal_samples(sha256: str) -> str:
    return f"{SIGNALS}/{sha256}/{SAMPLES}"


def model_folder(name: str, version: int) -> str:
    return f"{MODELS}/{name}/{version}"


def model_manifest(name: str, version: int) -> str:
    return f"{model_folder(name, version)}/{MANIFEST}"


def model_claim(name: str, version: int) -> str:
    return f"{model_folder(name, version)}/{CLAIM}"


def model_weights(name: str, version: int, sha256: str) -> str:
    return f"{model_folder(name, version)}/waves-{sha256[:16]}.safetensors"


def checkpoint(job: str) -> str:
    return f"{CHECKPOINTS}/{job}/fit"
