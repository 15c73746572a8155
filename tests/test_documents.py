"""Documents say what is there."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dredge.settings import Settings, describe

ROOT = Path(__file__).parents[1]
GUIDE_NAMES = [
    "VERSION", "DREDGE_PORT", "MCP_PORT", "REDIS_PORT", "NGINX_HTTP_PORT", "NGINX_HTTPS_PORT", "PROMETHEUS_PORT",
    "GRAFANA_PORT", "METRICS_PORT", "FLASK_ENV", "CACHE_ENABLED", "METRICS_ENABLED", "REDIS_MAX_MEMORY",
    "CUDA_VISIBLE_DEVICES", "GPU_COUNT", "DEVICE", "WORKER_CONCURRENCY", "WORKER_REPLICAS", "GRAFANA_PASSWORD",
]


def run(*arguments):
    from dredge.cli import app

    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_page_of_settings_is_the_table_of_settings():
    made = run("config", "--markdown")
    assert made.exit_code == 0
    assert (ROOT / "docs/settings.md").read_text() == made.stdout, "renew it: dredge config --markdown > docs/settings.md"


def test_every_setting_that_operators_know_is_there():
    names = {row["name"] for row in describe(Settings.load())}
    assert set(GUIDE_NAMES) <= names


def test_every_setting_says_what_it_is_for():
    assert not [row["name"] for row in describe(Settings.load()) if not row["help"]]


DOCUMENTS = ("README.md", "BUILD.md", "CONTRIBUTING.md", "docs/operating.md")


@pytest.mark.parametrize("document", [*DOCUMENTS, "nginx/README.md", "examples/recordings/README.md"])
def test_links_lead_somewhere(document):
    text = (ROOT / document).read_text()
    for target in re.findall(r"\]\((?!http)([^)#]+)", text):
        assert ((ROOT / document).parent / target).exists(), target


def test_every_command_of_the_readme_exists():
    commands = re.findall(r"^dredge (.+)$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert commands
    for command in commands:
        assert run(shlex.split(command)[0], "--help").exit_code == 0, command


def test_every_make_target_of_the_documents_exists():
    makefile = (ROOT / "Makefile").read_text()
    for document in DOCUMENTS:
        for target in re.findall(r"`?make ([a-z][a-z-]+)`?", (ROOT / document).read_text()):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE) or target in {"are", "it"}, target


def test_there_is_one_version_number():
    import dredge

    assert f"## {dredge.__version__}" in (ROOT / "CHANGELOG.md").read_text()
    assert "dynamic = [\"version\"]" in (ROOT / "pyproject.toml").read_text()
