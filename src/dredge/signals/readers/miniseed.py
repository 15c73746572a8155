"""MiniSEED, through ObsPy. Traces of one rate become channels on one time axis; gaps become NaN."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from dredge.errors import InvalidInput, UnreadableRecording
from dredge.signals.extras import need
from dredge.signals.recording import Limits, Recording, damaged


def read(path: Path, limits: Limits) -> Recording:
    """Read a MiniSEED file."""
    obspy = need("obspy", "seismic")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # ObsPy warns of what is told below in our words
            heads = obspy.read(str(path), format="MSEED", headonly=True)
            limits.check(sum(trace.stats.npts for trace in heads), "The MiniSEED file")
            stream = obspy.read(str(path), format="MSEED")
            rates = {trace.stats.sampling_rate for trace in stream}
            if len(rates) == 1:
                stream.merge()
    except (InvalidInput, UnreadableRecording):
        raise
    except Exception as error:  # ObsPy raises bare exceptions of many kinds for damaged files
        from dredge.errors import DredgeError

        if isinstance(error, DredgeError):
            raise
        raise damaged("MiniSEED", error) from None
    if not len(stream):
        raise UnreadableRecording("The MiniSEED file holds no records.", field="file")
    if len(rates) != 1:
        raise InvalidInput(f"The file holds sample rates of {', '.join(f'{r:g} Hz' for r in sorted(rates))}.", field="file",
                           hint="Export the channels of one rate.")
    [rate] = rates
    begin = min(trace.stats.starttime for trace in stream)
    end = max(trace.stats.endtime for trace in stream)
    size = round((end - begin) * rate) + 1
    limits.check(size * len(stream), "The MiniSEED file, with its gaps,")
    samples = np.full((len(stream), size), np.nan)
    for row, trace in zip(samples, stream, strict=True):
        first = round((trace.stats.starttime - begin) * rate)
        row[first : first + trace.stats.npts] = np.ma.filled(np.ma.asarray(trace.data, dtype=np.float64), np.nan)
    names = [trace.stats.channel or trace.id for trace in stream]
    if len(set(names)) != len(names):
        names = [trace.id for trace in stream]
    first = stream[0].stats
    return Recording(samples, tuple(names), float(rate), unit="count", start_time=_utc(begin),
                     name=".".join(part for part in (first.network, first.station) if part) or None)


def _utc(time: object) -> str:
    return str(time)
