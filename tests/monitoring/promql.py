"""Which metrics an expression of Prometheus names, and which labels it expects of each."""

import re

TOKEN = re.compile(r"""
    (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)
    | (?P<comment>\#[^\n]*)
    | (?P<range>\[[^\]]*\])
    | (?P<number>\d[\w.]*|\.\d+)
    | (?P<variable>\$\{\w+\}|\$\w+)
    | (?P<name>[A-Za-z_:][\w:]*)
    | (?P<other>=~|!~|!=|==|>=|<=|\S)
""", re.VERBOSE)
WORDS = {"and", "or", "unless", "atan2", "bool", "offset", "inf", "nan"}
GROUPING = {"by", "without", "on", "ignoring", "group_left", "group_right"}


def metrics_in(expression):
    """Name -> labels that selectors of it match on. Functions, aggregations and labels they group by are no metrics."""
    tokens = [(m.lastgroup, m.group()) for m in TOKEN.finditer(expression) if m.lastgroup not in ("comment", "range")]
    found, place = {}, 0
    while place < len(tokens):
        kind, text = tokens[place]
        after = tokens[place + 1][1] if place + 1 < len(tokens) else ""
        place += 1
        if kind != "name":
            continue
        if text.lower() in GROUPING:
            if after == "(":
                place = _past(tokens, place, ")")
        elif text.lower() not in WORDS and after not in ("(", "by", "without"):
            labels = found.setdefault(text, set())
            if after == "{":
                end = _past(tokens, place, "}")
                labels |= {name for (kind, name), (_, sign) in zip(tokens[place:end], tokens[place + 1:end], strict=False)
                           if kind == "name" and sign in ("=", "!=", "=~", "!~")}
                place = end
    return found


def _past(tokens, place, closing):
    while tokens[place][1] != closing:
        place += 1
    return place + 1
