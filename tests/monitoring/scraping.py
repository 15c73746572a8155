"""What is exported, under the names that Prometheus gives it."""

import re
from typing import NamedTuple

import httpx

ACCEPT = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
# The parser of prometheus_client is not used: it renames counters that do not end in _total.
LINE = re.compile(r'(?P<name>[\w:]+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)')
LABEL = re.compile(r'(\w+)="(?:[^"\\]|\\.)*"')


class Sample(NamedTuple):
    name: str
    labels: list[str]
    value: str


def scrape(url):
    """The samples of an exporter; none while it does not answer."""
    try:
        text = httpx.get(f"{url}/metrics", headers={"Accept": ACCEPT}).raise_for_status().text
    except httpx.HTTPError:
        return []
    found = [LINE.match(line) for line in text.splitlines() if line and not line.startswith("#")]
    return [Sample(m["name"], LABEL.findall(m["labels"] or ""), m["value"]) for m in found]


def labels_of(samples):
    """Name -> every label that samples of that name have."""
    told = {}
    for sample in samples:
        told.setdefault(sample.name, set()).update(sample.labels)
    return told
