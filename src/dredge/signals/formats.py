"""The table of formats, and which of them a file is in."""

from __future__ import annotations

from dredge.errors import InvalidInput, UnreadableRecording
from dredge.signals.readers import arrays, audio, csv, edf, miniseed, nifti, wfdb
from dredge.signals.recording import Format

ZIP = ((0, b"PK\x03\x04"),)
FORMATS: dict[str, Format] = {
    entry.name: entry
    for entry in (
        Format("csv", "CSV: numbers in columns, with or without a time column", (".csv", ".tsv", ".txt"), csv.read),
        Format("npy", "NumPy array", (".npy",), arrays.read_npy, ((0, b"\x93NUMPY"),)),
        Format("npz", "NumPy archive", (".npz",), arrays.read_npz, ZIP),
        Format("wav", "WAV sound", (".wav",), audio.read, ((0, b"RIFF"), (0, b"RF64")), "audio"),
        Format("flac", "FLAC sound", (".flac",), audio.read, ((0, b"fLaC"),), "audio"),
        # A record begins with a six-digit number and a quality letter.
        Format("miniseed", "MiniSEED seismogram", (".mseed", ".miniseed", ".ms"), miniseed.read,
               ((6, b"D"), (6, b"R"), (6, b"Q"), (6, b"M"), (0, b"MS")), "seismic"),
        Format("wfdb", "WFDB record of PhysioNet (.hea beside .dat, or a ZIP of both)", (".hea", ".zip"), wfdb.read, (),
               "medical"),
        Format("edf", "European Data Format", (".edf", ".bdf"), edf.read, ((0, b"0       "), (0, b"\xffBIOSEMI")), "medical"),
        Format("nifti", "NIfTI volume", (".nii", ".nii.gz"), nifti.read,
               ((0, b"\x1f\x8b"), (344, b"n+1\0"), (344, b"ni1\0"), (4, b"n+2\0")), "volumes"),
    )
}
ENOUGH = 512  # bytes in which every mark of a format lies


def find_format(head: bytes, file_name: str, asked: str | None) -> Format:
    """The format that was asked for, or the one of the file's ending, or of its first bytes.

    Raises InvalidInput(field="format") for one that does not exist and UnreadableRecording when the bytes disagree.
    """
    if asked is not None:
        if asked.lower() not in FORMATS:
            raise InvalidInput(f"There is no format {asked[:40]!r}.", field="format", hint=f"Choose {', '.join(FORMATS)}.")
        return _checked(FORMATS[asked.lower()], head)
    if not head:
        raise UnreadableRecording("The file is empty.", field="file")
    name = file_name.lower()
    for entry in FORMATS.values():
        if name.endswith(entry.extensions):
            return _checked(entry, head)
    for entry in FORMATS.values():
        if entry.name not in ("miniseed", "nifti") and entry.magic and _has_mark(entry, head):
            return entry
    if head[:6].isdigit() and _has_mark(FORMATS["miniseed"], head):
        return FORMATS["miniseed"]
    if _has_mark(FORMATS["nifti"], head):
        return FORMATS["nifti"]
    if b"\0" not in head:
        return FORMATS["csv"]
    raise UnreadableRecording("The format of this file is not known.", field="file",
                              hint=f"Name one of {', '.join(FORMATS)}.")


def _checked(entry: Format, head: bytes) -> Format:
    if not head:
        raise UnreadableRecording("The file is empty.", field="file")
    if entry.magic and not _has_mark(entry, head):
        raise UnreadableRecording(f"This is not a {entry.name} file: it does not begin as one.", field="file")
    return entry


def _has_mark(entry: Format, head: bytes) -> bool:
    return any(head[offset : offset + len(mark)] == mark for offset, mark in entry.magic)


