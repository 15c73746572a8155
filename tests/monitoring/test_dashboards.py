"""Dashboards are files that Grafana can load, and say something in each panel."""

import re

import pytest
from watching import DASHBOARDS, MONITORING, load, panels

EVERY = pytest.mark.parametrize("name", DASHBOARDS)
GIVEN = {"__rate_interval", "__interval", "__range"}
[SOURCE] = load(MONITORING / "grafana/provisioning/datasources/prometheus.yml")["datasources"]
[PROVIDER] = load(MONITORING / "grafana/provisioning/dashboards/dredge.yml")["providers"]


def test_each_has_a_name_and_address_of_its_own():
    assert set(DASHBOARDS) == {"overview", "jobs", "models", "gpu", "edge"}
    for what in ("uid", "title"):
        assert len({dashboard[what] for dashboard in DASHBOARDS.values()}) == len(DASHBOARDS)


def test_grafana_finds_them_and_prometheus():
    compose = load(MONITORING.parent / "docker-compose.profiles.yml")["services"]
    assert f"./monitoring/grafana/dashboards:{PROVIDER['options']['path']}:ro" in compose["grafana"]["volumes"]
    assert SOURCE["url"] == "http://prometheus:9090"
    assert "prometheus" in compose


@EVERY
def test_every_panel_has_a_title_a_source_and_a_question(name):
    source = {"type": SOURCE["type"], "uid": SOURCE["uid"]}
    shown = panels(DASHBOARDS[name])
    assert len(shown) == len({panel["title"] for panel in shown}) > 0
    for panel in shown:
        assert panel["datasource"] == source
        assert panel["targets"], panel["title"]
        for target in panel["targets"]:
            assert target["datasource"] == source
            assert target["expr"].strip(), panel["title"]
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


@EVERY
def test_every_number_has_a_unit(name):
    for panel in panels(DASHBOARDS[name]):
        unit = panel["fieldConfig"]["defaults"].get("unit") or panel["options"].get("yAxis", {}).get("unit")
        assert unit in {"short", "s", "bytes", "Bps", "ops", "reqps", "percentunit"}, panel["title"]


@EVERY
def test_every_variable_is_there_and_used(name):
    dashboard = DASHBOARDS[name]
    there = {variable["name"] for variable in dashboard["templating"]["list"]}
    asked = [target["expr"] for panel in panels(dashboard) for target in panel["targets"]]
    asked += [variable["query"]["query"] for variable in dashboard["templating"]["list"]]
    used = {word for text in asked for word in re.findall(r"\$(\w+)", text)}
    assert used - GIVEN == there
    assert all(variable["datasource"]["uid"] == SOURCE["uid"] for variable in dashboard["templating"]["list"])


@EVERY
def test_panels_do_not_lie_on_each_other(name):
    taken = set()
    for panel in DASHBOARDS[name]["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARDS[name]["panels"]}) == len(DASHBOARDS[name]["panels"])
