"""Units of measurement, as pint knows them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from dredge.errors import UnknownUnit

DIMENSIONLESS = {"", "1", "count", "counts", "au", "adu"}


@lru_cache(maxsize=1)
def _registry() -> Any:
    import pint

    return pint.UnitRegistry(cache_folder=None)


@lru_cache(maxsize=256)
def check_unit(unit: str) -> str:
    """Return `unit` if it is known. Raises UnknownUnit with the nearest advice otherwise."""
    if unit in DIMENSIONLESS:
        return unit
    try:
        if len(unit) > 64:
            raise ValueError
        _registry().parse_units(unit)
    except Exception:
        raise UnknownUnit(f"The unit {unit[:64]!r} is not known.", field="unit",
                          hint="Write it as s, ms, mV, m/s, m/s**2, Pa, count, or 1 for none.") from None
    return unit
