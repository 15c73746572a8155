"""The server against its own document: schemathesis sends what the document allows, and what it forbids.

Every answer must have a status, a media type and a body that the document names, what is forbidden must be refused, and
nothing may be a 5xx. That what is allowed is always accepted is not asked: a name may be free, samples may be too few.
"""

import threading

import numpy as np
import pytest
import schemathesis
from schemathesis import engine
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events
from werkzeug.serving import make_server

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
    listening = make_server("127.0.0.1", 0, create_app(service, settings), threaded=True)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.server_port}", {"signals": signal.id, "jobs": job.id}
    listening.shutdown()
    thread.join(10)


def failures(url, *, parameters=None, phases=PHASES, examples=15):
    """What schemathesis finds, a line each."""
    found, cases = {}, 0
    config = SchemathesisConfig.from_dict({
        "seed": 1,
        "headers": {"Authorization": f"Bearer {KEY}"},
        "generation": {"max-examples": examples, "deterministic": True, "no-shrink": True},
        "phases": {name: {"enabled": name in phases} for name in PHASES},
        # Where a parameter is given, a request that was to have a bad one has a good one.
        "checks": {"positive_data_acceptance": {"enabled": False}, "negative_data_rejection": {"enabled": not parameters}},
        "parameters": parameters or {},
    })
    document = schemathesis.openapi.from_url(f"{url}/openapi.json", config=config)
    for event in engine.from_schema(document).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            found.setdefault(f"{getattr(event, 'label', '')}: {getattr(event, 'value', event)}", "")
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
    url, ids = filled
    for model in ("heart", "sheet"):
        found = failures(url, parameters={"path.name": model, "path.id": ids["signals"]}, phases=("coverage", "fuzzing"))
        assert not found, "\n".join(found)
