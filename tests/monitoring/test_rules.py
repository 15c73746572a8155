"""Rules as promtool judges them, and alerts that say what to do."""

import re
import subprocess

import pytest
import yaml
from watching import DASHBOARDS, MONITORING, ROOT, RULE_TESTS, RULES, alerts, load, panels

WITH_PROMTOOL = pytest.mark.promtool


def promtool(*arguments):
    done = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


@WITH_PROMTOOL
def test_the_configuration_is_clean():
    code, said = promtool("check", "config", "--lint=all", "--lint-fatal", MONITORING / "prometheus/prometheus.yml")
    assert code == 0, said
    assert said.count("rules found") == len(RULES)


@WITH_PROMTOOL
@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_rules_are_clean(path):
    code, said = promtool("check", "rules", "--lint=all", "--lint-fatal", path)
    assert code == 0, said


@WITH_PROMTOOL
@pytest.mark.parametrize("path", RULE_TESTS, ids=lambda path: path.stem)
def test_rules_do_what_their_tests_say(path):
    code, said = promtool("test", "rules", path)
    assert code == 0, said


@WITH_PROMTOOL
def test_a_rule_that_changes_is_noticed(tmp_path):
    for path in (*RULES, *RULE_TESTS):
        copy = tmp_path / path.relative_to(MONITORING)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text().replace("redis_up == 0", "redis_up == 2"))
    code, said = promtool("test", "rules", tmp_path / "prometheus/tests/alerts.yml")
    assert code
    assert "RedisDown" in said


@WITH_PROMTOOL
def test_expressions_of_dashboards_are_expressions(tmp_path):
    asked = [re.sub(r"\$\w+", "x", target["expr"].replace("$__rate_interval", "1m"))
             for dashboard in DASHBOARDS.values() for panel in panels(dashboard) for target in panel["targets"]]
    rules = [{"record": f"panel:{number}", "expr": expression} for number, expression in enumerate(asked)]
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboards", "rules": rules}]}))
    code, said = promtool("check", "rules", path)
    assert code == 0, said


def checks():
    """Alert -> the answers that its tests expect, each a list of the labels with which it fires."""
    expected = {}
    for test in load(MONITORING / "prometheus/tests/alerts.yml")["tests"]:
        for check in test["promql_expr_test"]:
            name = re.search(r'alertname="(\w+)"', check["expr"])[1]
            fires = [set(re.findall(r"(\w+)=", sample["labels"])) for sample in check["exp_samples"]]
            expected.setdefault(name, []).append(fires)
    return expected


@pytest.mark.parametrize("name", alerts())
def test_every_alert_is_tested_firing_and_silent(name):
    assert [fires for fires in checks()[name] if fires]
    assert [] in checks()[name]


@pytest.mark.parametrize("name", alerts())
def test_every_alert_says_how_bad_it_is_and_what_to_do(name):
    alert = alerts()[name]
    assert alert["labels"]["severity"] in ("critical", "warning")
    said = alert["annotations"]
    assert set(said) == {"summary", "description"}
    assert len(said["description"]) > 60
    used = set(re.findall(r"\$labels\.(\w+)", " ".join(said.values())))
    assert all(used <= labels for fires in checks()[name] for labels in fires), "a label that an alert names is one that it has"


def test_commands_in_alerts_name_services_that_exist():
    services = load(ROOT / "docker-compose.profiles.yml")["services"]
    for alert in alerts().values():
        for service in re.findall(r"docker-compose (?:logs|exec|restart) ([a-z-]+)", alert["annotations"]["description"]):
            assert service in services


def test_every_target_is_a_service_or_one_of_its_other_names():
    services = load(ROOT / "docker-compose.profiles.yml")["services"]
    jobs = load(MONITORING / "prometheus/prometheus.yml")["scrape_configs"]
    asked = [name for job in jobs for dns in job.get("dns_sd_configs", []) for name in dns["names"]]
    assert len(asked) == 7
    assert set(asked) <= set(services)
