"""CSV: one column of numbers, or a time column and others, with or without a header.

Lines that begin with # may say `# sample_rate: 360`, and likewise unit, start_time and name. A header `ecg [mV]` names a
channel and its unit.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dredge.errors import InvalidInput, UnreadableRecording
from dredge.signals.recording import Limits, Recording

TIME_NAMES = {"t", "time", "time_s", "seconds", "zeit"}
IRREGULAR = 1e-3  # of a step: what rounding in a printed time column may do
MISSING = {"", "nan", "na", "n/a", "null", "-"}


def read(path: Path, limits: Limits) -> Recording:
    """Read a CSV file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableRecording("This is not a CSV file: it is not text in UTF-8.", field="file") from None
    if "\0" in text:
        raise UnreadableRecording("This is not a CSV file: it holds binary data.", field="file")
    limits.check(text.count("\n"), "The CSV file")
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    remarks = dict(filter(None, (_remark(line) for _, line in lines if line.lstrip().startswith("#"))))
    rows = [(number, line) for number, line in lines if not line.lstrip().startswith("#")]
    if not rows:
        raise UnreadableRecording("The CSV file holds no rows.", field="file")
    delimiter = _delimiter(rows[0][1])
    header = None
    if not all(_is_number(cell) for cell in _cells(rows[0][1], delimiter)):
        header, rows = _cells(rows[0][1], delimiter), rows[1:]
    table = _table(rows, delimiter, len(header) if header else None, limits)
    names, units = _names(header, table.shape[1])
    rate = _number(remarks, "sample_rate")
    start = 0.0
    if table.shape[1] > 1 and (names[0].lower() in TIME_NAMES or (header is None and table.shape[1] == 2)):
        rate, start = _time_column(table[:, 0], rows, units[0])
        table, names, units = table[:, 1:], names[1:], units[1:]
    return Recording(
        np.ascontiguousarray(table.T), tuple(names), rate, start=start, unit=remarks.get("unit") or units[0],
        start_time=remarks.get("start_time"), name=remarks.get("name"))


def _remark(line: str) -> tuple[str, str] | None:
    match = re.fullmatch(r"\s*#\s*([A-Za-z_ ]+?)\s*[:=]\s*(.*?)\s*", line)
    return (match[1].lower().replace(" ", "_"), match[2]) if match else None


def _delimiter(line: str) -> str | None:
    return next((mark for mark in (";", "\t", ",") if mark in line), None)


def _cells(line: str, delimiter: str | None) -> list[str]:
    if delimiter is None:
        return line.split()
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, skipinitialspace=True))]


def _is_number(cell: str) -> bool:
    if cell.lower() in MISSING:
        return True
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell


def _table(rows: list[tuple[int, str]], delimiter: str | None, columns: int | None,
           limits: Limits) -> npt.NDArray[np.float64]:
    try:
        # The fast path: numbers only. Whatever it cannot take is read again, slowly, to say where the trouble is.
        table = np.loadtxt((line for _, line in rows), delimiter=delimiter, ndmin=2, comments=None)
    except ValueError:
        table = np.array(_slowly(rows, delimiter, columns), dtype=np.float64, ndmin=2)
    if not table.size:
        raise UnreadableRecording("The CSV file holds a header and no rows.", field="file")
    if columns is not None and table.shape[1] != columns:
        raise UnreadableRecording(f"Row {rows[0][0]} has {table.shape[1]} columns, the header {columns}.", field="file")
    limits.check(table.size, "The CSV file")
    return table


def _slowly(rows: list[tuple[int, str]], delimiter: str | None, columns: int | None) -> list[list[float]]:
    table = []
    for number, line in rows:
        cells = _cells(line, delimiter)
        columns = columns or len(cells)
        if len(cells) != columns:
            raise UnreadableRecording(f"Row {number} has {len(cells)} columns, the first has {columns}.", field="file")
        for place, cell in enumerate(cells, 1):
            if not _is_number(cell):
                raise InvalidInput(f"Row {number}, column {place} is {cell[:40]!r}, not a number.", field="file")
        table.append([float("nan") if cell.lower() in MISSING else float(cell) for cell in cells])
    return table


def _names(header: list[str] | None, columns: int) -> tuple[list[str], list[str | None]]:
    if header is None:
        return (["signal"] if columns == 1 else [f"channel{i}" for i in range(columns)]), [None] * columns
    names, units = [], []
    for place, cell in enumerate(header):
        match = re.fullmatch(r"(.*?)\s*[\[(](.*?)[\])]", cell)
        name = (match[1] if match else cell).strip() or f"channel{place}"
        names.append(name if name not in names else f"{name}_{place}")
        units.append(match[2].strip() if match else None)
    return names, units


def _number(remarks: dict[str, str], key: str) -> float | None:
    if key not in remarks:
        return None
    try:
        return float(remarks[key].split()[0])
    except (ValueError, IndexError):
        raise InvalidInput(f"The file says {key}: {remarks[key][:40]!r}, which is not a number.", field=key) from None


def _time_column(times: npt.NDArray[np.float64], rows: list[tuple[int, str]], unit: str | None) -> tuple[float, float]:
    scale = {"ms": 1e-3, "us": 1e-6, "µs": 1e-6, "min": 60.0, "h": 3600.0}.get(unit or "s", 1.0)
    if len(times) < 2:
        raise InvalidInput("A signal has at least 2 samples; there is one.", field="samples")
    steps = np.diff(times)
    step = (times[-1] - times[0]) / (len(times) - 1)
    uneven = ~(np.abs(steps - step) <= IRREGULAR * abs(step)) if np.isfinite(step) and step > 0 else ~(steps > 0)
    if uneven.any() or not step > 0:
        row = int(np.argmax(uneven)) + 1 if uneven.any() else 1
        raise InvalidInput(f"The time column is not regular: row {rows[row][0]} comes {steps[row - 1]:g} after the one before, "
                           f"the mean step is {step:g}.", field="file", hint="Resample it to even steps first.")
    return float(1 / (step * scale)), float(times[0] * scale)

