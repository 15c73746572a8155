"""Every metric that a rule or a dashboard names is exported, with the labels that are asked of it."""

import pytest
from watching import asked, missing, recorded, rules

PROMETHEUS = {"up": set(), "ALERTS": {"alertname", "alertstate", "severity"}}
UNLIMITED = {"dredge_container_memory_limit_bytes": set()}  # not told where there is no limit
NAMES = {metric for _, metric, _ in asked()}


def test_names_are_of_dredge_of_an_exporter_or_of_prometheus():
    ours = ("dredge_", "redis_", "nginx_")
    assert NAMES
    assert {name for name in NAMES if not name.startswith(ours)} <= set(recorded()) | set(PROMETHEUS)


def test_what_rules_record_is_what_is_asked_of_them():
    made = recorded()
    assert len(made) == sum("record" in rule for rule in rules()), "no name is recorded twice"
    assert not [one for one in missing(made) if ":" in one[1]]
    assert set(made) <= NAMES, "nothing is recorded for nobody"


@pytest.mark.slow
def test_dredge_exports_what_is_asked_of_it(exported):
    assert not missing(UNLIMITED | exported, "dredge_")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dredge_workers", "dredge_worker_jobs_total", "dredge_fit_seconds_bucket"])
def test_a_metric_that_is_gone_is_noticed(exported, name):
    left = {metric: labels for metric, labels in exported.items() if metric != name}
    assert name in {metric for _, metric, _ in missing(left, "dredge_")}


@pytest.mark.slow
def test_a_label_that_is_gone_is_noticed(exported):
    assert "dredge_worker_jobs_total" in {metric for _, metric, _ in missing(exported | {"dredge_worker_jobs_total": set()})}
