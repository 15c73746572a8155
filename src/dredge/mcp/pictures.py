"""Pictures small enough to travel inside an answer."""

from __future__ import annotations

import io

WIDTH = 800  # pixels
COLOURS = 64


def small_png(data: bytes) -> bytes:
    """The same picture, at most 800 pixels wide and with 64 colours: some 30 kB instead of some 150."""
    from PIL import Image

    with Image.open(io.BytesIO(data)) as full:
        picture = full.convert("RGB")
        if picture.width > WIDTH:
            picture = picture.resize(
                (WIDTH, round(picture.height * WIDTH / picture.width)), Image.Resampling.LANCZOS
            )
        out = io.BytesIO()
        picture.quantize(COLOURS).save(out, "PNG", optimize=True)
        return out.getvalue()
