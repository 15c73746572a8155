"""Prompts: the usual questions, with the tools that answer them."""

from __future__ import annotations

from typing import Annotated, Any

from mcp.server import MCPServer
from pydantic import Field

Signal = Annotated[str, Field(description="Id of a signal, or its first 8 or more characters")]
Model = Annotated[str, Field(description="Name of a model")]


def add_prompts(server: MCPServer[Any]) -> None:
    """Add every prompt to the server."""
    server.prompt(
        title="What is in this recording?",
        description="Find out what a stored recording holds, and say it in plain words",
    )(what_is_in_this_recording)
    server.prompt(title="Compare two models", description="Say how two models differ and which to keep")(
        compare_two_models
    )
    server.prompt(
        title="Explain this event",
        description="Say what one event of a model could be, in the words of its field",
    )(explain_this_event)
    server.prompt(
        title="Fit well within a budget",
        description="Find the best model of a recording that takes no more than so many stored numbers",
    )(fit_within_a_budget)


def what_is_in_this_recording(signal: Signal) -> str:
    return f"""Tell me what is in the recording {signal}.

1. describe_signal {signal}: note the unit, the length, the rate and the overview. Say at once if it is
   constant or mostly noise.
2. estimate_fit, then fit_signal without a number of waves (the fit stops where more waves would describe
   noise), then wait_for_job until it has ended.
3. find_events sorted by energy, limit 20. Group what repeats: give period, frequency and strength with units.
4. plot the model and check that what is left looks like noise. If it does not, say what the waves miss.

Answer with what the recording shows, the numbers that support it, and what cannot be known from it. Waves
describe transients and chirps well; dense sound and sharp steps they do not."""


def compare_two_models(first: Model, second: Model) -> str:
    return f"""Compare the models {first} and {second}.

1. describe_model of both: signal, settings, numbers, error on the fitted samples and on samples that were
   held out.
2. compare_models {first} {second}: how far apart they are, and which is nearer to the signal.
3. find_events of both, sorted by energy: which events do they share, which has only one of them?

Prefer the model with the lower held-out error for its stored numbers; a lower error on the fitted samples
alone is no proof. Say which one to keep and why, in three sentences."""


def explain_this_event(
    model: Model,
    event: Annotated[str, Field(description="Index of the event, as find_events gives it")],
) -> str:
    return f"""Explain event {event} of the model {model}.

1. describe_model {model}: which signal, which unit, what kind of recording.
2. find_events {model}: take the row with index {event}, and the rows near it in time and in frequency.
3. evaluate {model} on a grid over four widths around it, to see its shape.

Say when it happens, how long it lasts (about 2.4 widths between the half-amplitude points), at which
frequency it starts and ends (frequency plus or minus chirp rate times the width), and how strong it is
beside the others. Then say what such an event could be in this kind of recording, and how sure that is."""


def fit_within_a_budget(
    signal: Signal,
    numbers: Annotated[str, Field(description="How many stored numbers the model may take")],
) -> str:
    return f"""Fit the recording {signal} as well as {numbers} stored numbers allow.

1. describe_signal {signal} and estimate_fit with numbers={numbers}.
2. fit_signal with numbers={numbers} and hold_out=0.1, wait_for_job, describe_model: compare the held-out
   error with the error on the fitted samples. If the held-out error is much the larger, the budget buys
   noise: try half.
3. If both agree, fit once more without hold_out, and once with edge=true; keep the one with the lower error.
4. delete_model what is not kept, after asking me.

Answer with the model to use, its numbers, its error, its signal to noise, and what a larger budget would
bring."""
