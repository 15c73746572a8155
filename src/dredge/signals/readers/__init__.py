"""One reader a format; the table of formats is in dredge.signals.formats."""
