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

from dredge.errors import InvalidInput, TooLarge, UnreadableRecording
from dredge.signals.recording import Limits, Recording, damaged
from dredge.signals.units import seconds

TIME_NAMES = {"t", "time", "time_s", "seconds", "zeit"}
IRREGULAR = 1e-3  # of a step: what rounding in a printed time column may do
LONGEST_NUMBER = 32  # characters: a double in full, its sign, exponent and separator
FEW_BYTES = 1 << 20
MISSING = {"", "nan", "na", "n/a", "null", "-"}


def read(path: Path, limits: Limits) -> Recording:
    """Read a CSV file."""
    size = path.stat().st_size
    if size > LONGEST_NUMBER * limits.max_samples + FEW_BYTES:
        raise TooLarge(f"The CSV file has {size:,} bytes; the limit is {limits.max_samples:,} samples.", field="samples",
                       hint="Cut it, or raise MAX_SAMPLES.")
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
    if _is_header(_cells(rows[0][1], delimiter)):
        header, rows = _header(rows, delimiter), rows[1:]
    table = _table(rows, delimiter, len(header) if header else None, limits)
    names, units = _names(header, table.shape[1])
    rate = _number(remarks, "sample_rate")
    start = 0.0
    if table.shape[1] > 1 and (names[0].lower() in TIME_NAMES or (header is None and table.shape[1] == 2)):
        rate, start, places = _time_column(table[:, 0], rows, units[0] or "s")
        table, names, units = _with_gaps(table[:, 1:], places, limits), names[1:], units[1:]
    return Recording(
        np.ascontiguousarray(table.T), tuple(names), rate, start=start, unit=remarks.get("unit"),
        units=() if remarks.get("unit") else tuple(units), start_time=remarks.get("start_time"), name=remarks.get("name"))


def _remark(line: str) -> tuple[str, str] | None:
    match = re.fullmatch(r"\s*#\s*([A-Za-z_ ]+?)\s*[:=]\s*(.*?)\s*", line)
    return (match[1].lower().replace(" ", "_"), match[2]) if match else None


def _delimiter(line: str) -> str | None:
    return next((mark for mark in (";", "\t", ",") if mark in line), None)


def _cells(line: str, delimiter: str | None) -> list[str]:
    if delimiter is None:
        return line.split()
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, skipinitialspace=True))]
    except csv.Error as error:
        raise damaged("CSV", error) from None


def _is_header(cells: list[str]) -> bool:
    """Whether a row holds names. One with a number in it is a row of samples, of which some cells may be wrong."""
    if cells[0].partition("[")[0].partition("(")[0].strip().lower() in TIME_NAMES:
        return True
    filled = [cell for cell in cells if cell]
    return bool(filled) and all(not _is_number(cell) and any(map(str.isalpha, cell)) for cell in filled)


def _header(rows: list[tuple[int, str]], delimiter: str | None) -> list[str]:
    line = rows[0][1]
    if delimiter is not None:
        return _cells(line, delimiter)
    if len(rows) > 1 and len(_cells(rows[1][1], None)) == 1:
        return [line.strip()]  # the spaces of `lead II [mV]` separate nothing
    return re.split(r"\s+(?![\[(])", line.strip())


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
    if not rows:
        raise UnreadableRecording("The CSV file holds a header and no rows.", field="file")
    try:
        # The fast path: numbers only. Whatever it cannot take is read again, slowly, to say where the trouble is.
        table = np.loadtxt((line for _, line in rows), delimiter=delimiter, ndmin=2, comments=None)
    except ValueError:
        table = np.array(_slowly(rows, delimiter, columns), dtype=np.float64, ndmin=2)
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
        names.append(name)
        units.append(match[2].strip() if match else None)
    return names, units


def _number(remarks: dict[str, str], key: str) -> float | None:
    if key not in remarks:
        return None
    try:
        return float(remarks[key].split()[0])
    except (ValueError, IndexError):
        raise InvalidInput(f"The file says {key}: {remarks[key][:40]!r}, which is not a number.", field=key) from None


def _time_column(times: npt.NDArray[np.float64], rows: list[tuple[int, str]],
                 unit: str) -> tuple[float, float, npt.NDArray[np.float64]]:
    scale = seconds(unit)
    if len(times) < 2:
        raise InvalidInput("A signal has at least 2 samples; there is one.", field="samples")
    if not np.isfinite(times).all():
        row = int(np.argmin(np.isfinite(times)))
        raise InvalidInput(f"Row {rows[row][0]} has no time.", field="file")
    places, step = _places(times)
    with np.errstate(over="ignore", invalid="ignore"):  # told here
        steps, usual = np.diff(times), step * np.diff(places)
        uneven = ~((steps > 0) & (np.abs(steps - usual) <= IRREGULAR * np.abs(step)))
    if uneven.any():
        common = float(np.median(steps))
        odd = np.abs(steps - common) > IRREGULAR * abs(common)
        row = int(np.argmax(odd if odd.any() else uneven))
        raise InvalidInput(f"The time column is not regular: row {rows[row + 1][0]} comes {steps[row]:g} after the one before, "
                           f"the usual step is {common:g}.", field="file", hint="Resample it to even steps first.")
    size = float(step) * scale
    if not (size > 0 and np.isfinite(size) and np.isfinite(1 / size)):
        raise InvalidInput(f"The time column has steps of {step:g} {unit}, which no axis can have.", field="file")
    return 1 / size, float(times[0] * scale), places


def _places(times: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], float]:
    """The number of each row on an even axis, which leaves out some where rows are missing, and the step of that axis."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        steps = np.diff(times)
        common = float(np.median(steps))
        places = np.concatenate([[0.0], np.cumsum(np.rint(steps / common))])  # step by step: printed times are rounded
        if not (np.isfinite(places).all() and places[-1] >= 1):
            return np.arange(len(times), dtype=np.float64), common
        return places, float((times[-1] - times[0]) / places[-1])


def _with_gaps(table: npt.NDArray[np.float64], places: npt.NDArray[np.float64], limits: Limits) -> npt.NDArray[np.float64]:
    """The table with a row of NaN for each that is missing."""
    size = int(places[-1]) + 1
    if size == len(table):
        return table
    limits.check(size * table.shape[1], "The CSV file, with its gaps,")
    whole = np.full((size, table.shape[1]), np.nan)
    whole[places.astype(np.int64)] = table
    return whole

