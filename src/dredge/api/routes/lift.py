"""Signal in, waves out, in one call."""

from __future__ import annotations

from flask import Response

from dredge.analysis import Lift, make_options
from dredge.api.answers import JSON, answer
from dredge.api.bodies import json_body
from dredge.api.current import service
from dredge.api.document import answers, area, takes
from dredge.api.gate import needs, require_write
from dredge.api.problems import renamed
from dredge.api.shapes import AxisAnswer, EventRow, KeptModel, LiftAnswer, LiftBody
from dredge.errors import InvalidInput

lifting = area("lift", "Signal in, waves out, in one call")


@lifting.post(
    "/lift",
    responses=answers({200: LiftAnswer}, 400, 413, 415, 422, 503),
    openapi_extensions=takes({JSON: LiftBody}),
)
@needs("read")
def lift() -> Response:
    """Lift a short signal

    Give `samples`, or `insight_text`, a text whose samples are its code points. Nothing is kept unless
    `save_as` names a model; that takes the scope `write`. 413 for what is long enough to be a fit.
    """
    body = json_body(LiftBody)
    text = body.insight_text
    if (text is None) == (body.samples is None):
        raise InvalidInput("Give one of samples and insight_text.", field="samples")
    if body.save_as is not None:
        require_write()
    given = {"samples": "insight_text", "text": "insight_text"} if text is not None else {}
    with renamed(name="save_as", **given):
        lifted = service().lift(
            body.samples,
            text=text,
            sample_rate=1.0 if text is not None else body.sample_rate,
            unit=body.unit,
            channel=body.channel,
            options=make_options(body.options()),
            save_as=body.save_as,
        )
    return answer(_answer(lifted, text))


def _answer(lifted: Lift, text: str | None) -> LiftAnswer:
    field, report, kept = lifted.field, lifted.report, lifted.model
    samples, waves = lifted.signal.samples.shape[-1], len(field)
    what = "samples" if text is None else "characters"
    message = f"{samples} {what} lifted into {waves} wave{'' if waves == 1 else 's'}."
    return LiftAnswer(
        id=lifted.signal.sha256,
        text=text,
        lifted=True,
        message=message,
        model=KeptModel(name=kept.name, version=kept.version) if kept is not None else None,
        waves=[EventRow.of(event) for event in lifted.events],
        error=report.error,
        snr_db=report.snr_db,
        bias=float(field.bias),
        numbers=field.numbers,
        seconds=report.seconds,
        stopped_because=report.stopped_because,
        axis=AxisAnswer(name=field.axes[0].name, unit=field.axes[0].unit),
        unit=field.unit,
    )
