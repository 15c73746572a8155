"""WAV and FLAC, through soundfile. Samples run from −1 to 1."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dredge.errors import DredgeError
from dredge.signals.extras import need
from dredge.signals.recording import Limits, Recording, cut_short, damaged

BLOCK = 1 << 16  # frames: memory grows with what is there, not with what the header claims
MOST_CHUNKS = 10_000


def read(path: Path, limits: Limits) -> Recording:
    """Read a WAV or FLAC file."""
    soundfile = need("soundfile", "audio")
    claimed = _claimed_frames(path) or 0
    try:
        # Through a handle: given a path, soundfile believes its ending.
        with path.open("rb") as handle, soundfile.SoundFile(handle) as sound:
            rate, channels = sound.samplerate, sound.channels
            frames = max(sound.frames, claimed)
            limits.check(frames * channels, "The sound file")
            blocks = []
            while len(block := sound.read(BLOCK, dtype="float64", always_2d=True)):
                blocks.append(block)
                limits.check(sum(map(len, blocks)) * channels, "The sound file")
    except DredgeError:
        raise
    except soundfile.LibsndfileError as error:
        raise damaged("sound", error.error_string) from None  # without the name of the file
    except Exception as error:  # soundfile checks some of what it reads with bare errors
        raise damaged("sound", error, path) from None
    samples = np.concatenate(blocks) if blocks else np.empty((0, channels))
    if len(samples) < frames:
        raise cut_short("The sound file", len(samples), frames, "frames")
    names = {1: ("signal",), 2: ("left", "right")}.get(channels, tuple(f"channel{i}" for i in range(channels)))
    return Recording(np.ascontiguousarray(samples.T), names, float(rate), unit="1")


def _claimed_frames(path: Path) -> int | None:
    """Frames that a WAV's header claims; libsndfile only counts those that are there."""
    with path.open("rb") as handle:
        head = handle.read(12)
        if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
            return None
        frame = 0
        for _ in range(MOST_CHUNKS):
            if len(chunk := handle.read(8)) < 8:
                break
            size = int.from_bytes(chunk[4:], "little")
            if chunk[:4] == b"data":
                # A stream of unknown length claims the largest size there is.
                return size // frame if frame and size < 0xFFFFFF00 else None
            body = handle.read(min(size, 16))
            if chunk[:4] == b"fmt ":
                frame = int.from_bytes(body[12:14], "little")
            handle.seek(size + size % 2 - len(body), 1)
    return None
