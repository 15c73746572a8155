"""The recordings that come with DREDGE."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dredge.errors import NotFound

HERE = Path(__file__).resolve().parent
# In an installed package the recordings lie inside it, in a checkout where people look for examples.
FOLDERS = (HERE.parent / "recordings", HERE.parents[2] / "examples" / "recordings")


@dataclass(frozen=True)
class Example:
    """A bundled recording."""

    name: str
    file: str
    description: str
    source: str
    licence: str


EXAMPLES = {
    "ecg": Example("ECG", "ecg.csv", "1,024 samples of an electrocardiogram", "PyWavelets, pywt.data.ecg()", "MIT"),
    "seismogram": Example("Seismogram", "seismogram.mseed", "30 s of a local earthquake at BW.RJOB, vertical, 100 Hz",
                          "ObsPy's example recording, network BW (BayernNetz)", "CC BY 4.0"),
}


def example(name: str) -> Path:
    """The file of a bundled recording, by name: ecg or seismogram. Raises NotFound."""
    if name not in EXAMPLES:
        raise NotFound(f"There is no example {name[:40]!r}.", field="example", hint=f"Choose {', '.join(EXAMPLES)}.")
    for folder in FOLDERS:
        if (path := folder / EXAMPLES[name].file).exists():
            return path
    raise NotFound(f"The example {name!r} was not installed with DREDGE.", field="example")
