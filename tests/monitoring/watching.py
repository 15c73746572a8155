"""The files of monitoring/, as the tests read them."""

import json
import re
from pathlib import Path

import yaml
from promql import metrics_in

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "monitoring"
RULES = sorted((MONITORING / "prometheus/rules").glob("*.yml"))
RULE_TESTS = sorted((MONITORING / "prometheus/tests").glob("*.yml"))
OF_EVERY_TARGET = {"job", "instance"}  # Prometheus adds them
DASHBOARDS = {path.stem: json.loads(path.read_text()) for path in sorted((MONITORING / "grafana/dashboards").glob("*.json"))}


def load(path):
    """A YAML file."""
    return yaml.safe_load(path.read_text())


def rules():
    """Every rule: those that record and those that alert."""
    return [rule for path in RULES for group in load(path)["groups"] for rule in group["rules"]]


def alerts():
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def panels(dashboard):
    """The panels that show something; rows only head them."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def asked():
    """(where, metric, labels that it must have) of every rule, panel and variable."""
    for rule in rules():
        yield from _names(rule.get("alert") or rule["record"], rule["expr"])
    for name, dashboard in DASHBOARDS.items():
        for panel in panels(dashboard):
            for target in panel["targets"]:
                yield from _names(f"{name}: {panel['title']}", target["expr"])
        for variable in dashboard["templating"]["list"]:
            expression, label = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"]).groups()
            yield from ((where, metric, labels | {label})
                        for where, metric, labels in _names(f"{name}: ${variable['name']}", expression))


def recorded():
    """Name -> labels of what rules record. Their names begin with the labels that are left."""
    names = [rule["record"] for rule in rules() if "record" in rule]
    return {name: set() if name.startswith("dredge:") else set(name.partition(":")[0].split("_")) for name in names}


def missing(told, prefix=""):
    """(where, metric, labels) of what is asked for of names that begin so, and not told."""
    return [(where, metric, labels) for where, metric, labels in asked()
            if metric.startswith(prefix) and not (metric in told and labels <= told[metric] | OF_EVERY_TARGET)]


def _names(where, expression):
    for metric, labels in metrics_in(expression).items():
        yield where, metric, labels
