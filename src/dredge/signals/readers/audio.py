"""WAV and FLAC, through soundfile. Samples run from −1 to 1."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dredge.errors import UnreadableRecording
from dredge.signals.extras import need
from dredge.signals.recording import Limits, Recording, damaged


def read(path: Path, limits: Limits) -> Recording:
    """Read a WAV or FLAC file."""
    soundfile = need("soundfile", "audio")
    claimed = _claimed_frames(path)
    try:
        with soundfile.SoundFile(str(path)) as sound:
            limits.check(sound.frames * sound.channels, "The sound file")
            rate, channels = sound.samplerate, sound.channels
            samples = sound.read(dtype="float64", always_2d=True)
            frames = max(sound.frames, claimed or 0)
    except soundfile.LibsndfileError as error:
        raise damaged("sound", error.error_string) from None  # without the name of the file
    if len(samples) < frames:
        raise UnreadableRecording(f"The sound file is cut short: {len(samples):,} of {frames:,} frames are there.", field="file")
    names = {1: ("signal",), 2: ("left", "right")}.get(channels, tuple(f"channel{i}" for i in range(channels)))
    return Recording(np.ascontiguousarray(samples.T), names, float(rate), unit="1")


def _claimed_frames(path: Path) -> int | None:
    """Frames that a WAV's header claims; libsndfile only counts those that are there."""
    with path.open("rb") as handle:
        head = handle.read(12)
        if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
            return None
        frame = 0
        while len(chunk := handle.read(8)) == 8:
            size = int.from_bytes(chunk[4:], "little")
            if chunk[:4] == b"fmt ":
                frame = int.from_bytes(handle.read(size)[12:14], "little")
                handle.seek(size % 2, 1)
            elif chunk[:4] == b"data":
                # A stream of unknown length claims the largest size there is.
                return size // frame if frame and size < 0xFFFFFF00 else None
            else:
                handle.seek(size + size % 2, 1)
    return None
