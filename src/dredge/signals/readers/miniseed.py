"""MiniSEED, through ObsPy. Traces of one rate become channels on one time axis; gaps become NaN."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from dredge.errors import DredgeError, InvalidInput, UnreadableRecording
from dredge.signals.extras import need
from dredge.signals.recording import Limits, Recording, damaged


def read(path: Path, limits: Limits) -> Recording:
    """Read a MiniSEED file."""
    obspy = need("obspy", "seismic")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # What the library only warns of is a file that ends within a record, or records that are damaged.
            warnings.simplefilter("error", need("obspy.io.mseed", "seismic").InternalMSEEDWarning)
            # Through handles: given a path, ObsPy expands patterns in it and unpacks archives.
            with path.open("rb") as handle:
                heads = obspy.read(handle, format="MSEED", headonly=True)
            _check(heads, path, limits)
            with path.open("rb") as handle:
                stream = obspy.read(handle, format="MSEED")
            for trace in stream:
                trace.data = np.asarray(trace.data, dtype=np.float64)
            stream.merge()
        return _recording(stream, limits)
    except DredgeError:
        raise
    except Exception as error:  # ObsPy raises bare exceptions of many kinds for damaged files
        told = "it ends within a record" if "nexpected end of file" in str(error) else error
        raise damaged("MiniSEED", told, path) from None


def _check(heads: Any, path: Path, limits: Limits) -> None:
    """Raise when the records are not what can be read, from their headers alone: gaps may be as long as centuries."""
    if not len(heads):
        raise UnreadableRecording("The MiniSEED file holds no records.", field="file")
    limits.check(sum(trace.stats.npts for trace in heads), "The MiniSEED file")
    rates = {float(trace.stats.sampling_rate) for trace in heads}
    if len(rates) != 1:
        raise InvalidInput(f"The file holds sample rates of {', '.join(f'{r:g} Hz' for r in sorted(rates))}.", field="file",
                           hint="Export the channels of one rate.")
    [rate] = rates
    if not (math.isfinite(rate) and rate > 0):
        raise InvalidInput(f"The records of the file have a sample rate of {rate:g}.", field="sample_rate")
    limits.check(_size(heads, rate) * len({trace.id for trace in heads}), "The MiniSEED file, with its gaps,")
    record = min(trace.stats.mseed.record_length for trace in heads)
    if path.stat().st_size % record:
        raise ValueError("it ends within a record")


def _size(stream: Any, rate: float) -> int:
    begin = min(trace.stats.starttime for trace in stream)
    end = max(trace.stats.endtime for trace in stream)
    return round(float(end - begin) * rate) + 1


def _recording(stream: Any, limits: Limits) -> Recording:
    rate = float(stream[0].stats.sampling_rate)
    begin = min(trace.stats.starttime for trace in stream)
    size = _size(stream, rate)
    limits.check(size * len(stream), "The MiniSEED file, with its gaps,")
    samples = np.full((len(stream), size), np.nan)
    for row, trace in zip(samples, stream, strict=True):
        first = round((trace.stats.starttime - begin) * rate)
        row[first : first + trace.stats.npts] = np.ma.filled(np.ma.asarray(trace.data, dtype=np.float64), np.nan)
    names = [trace.stats.channel or trace.id for trace in stream]
    if len(set(names)) != len(names):
        names = [trace.id for trace in stream]
    first_trace = stream[0].stats
    return Recording(samples, tuple(names), rate, unit="count", start_time=str(begin),
                     name=".".join(part for part in (first_trace.network, first_trace.station) if part) or None)
