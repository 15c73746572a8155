"""Units of measurement, as pint knows them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from dredge.errors import UnknownUnit

DIMENSIONLESS = {"", "1", "count", "counts", "au", "adu"}
LONGEST = 64
# Names with small powers, joined by * / or a space. pint evaluates what it is given: `9**9**9` would never end, so nothing
# that is not of this shape reaches it.
_POWER = r"(?:(?:\*\*|\^)-?\d{1,2})?"
_FACTOR = rf"(?:[^\W\d_]|°)\w*{_POWER}"
_SHAPE = re.compile(rf"%|(?:1\s*/\s*)?{_FACTOR}(?:\s*[*/·]\s*{_FACTOR}|\s+{_FACTOR})*")


@lru_cache(maxsize=1)
def _registry() -> Any:
    import pint

    return pint.UnitRegistry(cache_folder=None)


def check_unit(unit: str) -> str:
    """Return `unit` if it is known. Raises UnknownUnit with advice otherwise."""
    if not isinstance(unit, str):
        raise UnknownUnit(f"The unit {str(unit)[:LONGEST]!r} is not a text.", field="unit")
    return _checked(unit)


def seconds(unit: str) -> float:
    """How many seconds one `unit` of time is. Raises UnknownUnit for one that does not measure time."""
    unit = {"sec": "s", "secs": "s"}.get(unit.lower(), unit)
    if check_unit(unit) not in DIMENSIONLESS and (measured := _registry().Quantity(1.0, unit)).check("[time]"):
        return float(measured.to("s").magnitude)
    raise UnknownUnit(f"The unit {unit[:LONGEST]!r} of the time column does not measure time.", field="unit",
                      hint="Write it as s, ms, us, min or h.")


@lru_cache(maxsize=256)
def _checked(unit: str) -> str:
    if unit in DIMENSIONLESS:
        return unit
    try:
        if len(unit) > LONGEST or not _SHAPE.fullmatch(unit):
            raise ValueError
        _registry().parse_units(unit.replace("·", "*"))
    except Exception:  # pint raises errors of many kinds, tokenizer errors among them
        raise UnknownUnit(f"The unit {unit[:LONGEST]!r} is not known.", field="unit",
                          hint="Write it as s, ms, mV, m/s, m/s**2, Pa, count, or 1 for none.") from None
    return unit
