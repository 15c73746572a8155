"""The server against its own document: schemathesis sends what the document allows, and what it forbids.

Every answer must have a status, a media type and a body that the document names, what is forbidden must be refused, and
nothing may be a 5xx. That what is allowed is always accepted is not asked: a name may be free, samples may be too few.
"""

import numpy as np
import pytest
import schemathesis
from schemathesis import engine
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events

from dredge.api import create_app
from dredge.service import Service
from dredge.settings import Settings
from dredge.waves import FitOptions, QuasimotoWave, WaveField

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.filterwarnings("ignore")]

KEY = "k" * 20
PHASES = ("examples", "coverage", "fuzzing", "stateful")


@pytest.fixture
def filled(tmp_path):
    """A server that holds a signal, two models and a job that has ended."""
    settings = Settings.load(dredge_data=tmp_path, max_lift_samples=256, max_lift_seconds=0.2, max_evaluate_cost=100_000,
                             dredge_api_keys=f"tester:admin:{KEY}")
    service = Service(settings)
    service.import_model("heart", WaveField.chirplets([0.5], [0.1], [9.0], [0.0], [1.0], [0.0]))
    service.import_model("sheet", QuasimotoWave(1))
    signal = service.import_samples(np.sin(np.arange(64.0)), sample_rate=8, name="hum")
    submit = service.queue.submit

    def submit_and_end(*arguments, **options):
        job = submit(*arguments, **options)
        return job if job.ended else service.queue.cancel(job.id)

    service.queue.submit = submit_and_end  # there is no worker, and whoever follows a job would wait for its end
    job = service.submit_fit(signal.id, FitOptions(waves=1), id="ended")
    return create_app(service, settings), {"signals": signal.id, "jobs": job.id}


def failures(app, *, parameters=None, phases=PHASES, examples=10):
    """What schemathesis finds, a line each."""
    found, cases = {}, 0
    config = SchemathesisConfig.from_dict({
        "seed": 1,
        "headers": {"Authorization": f"Bearer {KEY}"},
        "generation": {"max-examples": examples, "deterministic": True, "no-shrink": True},
        "phases": {name: {"enabled": name in phases} for name in PHASES},
        "checks": {"positive_data_acceptance": {"enabled": False}},
        "parameters": parameters or {},
    })
    document = schemathesis.openapi.from_wsgi("/openapi.json", app, config=config)
    for event in engine.from_schema(document).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            error = getattr(event, "value", None) or getattr(event, "exception", None)
            found.setdefault(f"{getattr(event, 'label', '')}: {error}", None)
        if isinstance(event, events.ScenarioFinished):
            cases += len(event.recorder.cases)
            for case, nodes in event.recorder.checks.items():
                for node in nodes:
                    if node.failure_info is not None:
                        what = f"{event.recorder.label}: {node.name}: {node.failure_info.failure}"
                        found.setdefault(what[:600], event.recorder.cases[case].value.as_curl_command()[:600])
    assert cases > 100, "it has sent something"
    return [f"{what}\n    {how}" for what, how in found.items()]


def test_answers_are_as_the_document_says(filled):
    found = failures(filled[0])
    assert not found, "\n".join(found)


def test_answers_about_what_is_there_are_as_the_document_says(filled):
    app, ids = filled
    for model in ("heart", "sheet"):
        found = failures(app, parameters={"path.name": model, "path.id": ids["signals"]}, phases=("coverage", "fuzzing"))
        assert not found, "\n".join(found)
