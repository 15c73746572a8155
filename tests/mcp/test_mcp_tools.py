"""The tools, asked by a client of the official SDK over HTTP."""

import base64
import struct

import numpy as np
import pytest

from dredge.waves import evaluate

TOOLS = {
    "list_signals",
    "describe_signal",
    "import_signal",
    "estimate_fit",
    "fit_signal",
    "lift",
    "job_status",
    "wait_for_job",
    "cancel_job",
    "list_models",
    "describe_model",
    "find_events",
    "evaluate",
    "compare_models",
    "plot",
    "delete_model",
}


@pytest.fixture(scope="module")
def tools(server):
    async def work(client):
        return (await client.list_tools()).tools

    return {tool.name: tool for tool in server.ask(work)}


def test_both_revisions_list_the_same_tools(server, mode):
    async def work(client):
        return client.protocol_version, {tool.name for tool in (await client.list_tools()).tools}

    version, names = server.ask(work, mode=mode)
    assert version == {"legacy": "2025-11-25"}.get(mode, mode)
    assert names == TOOLS


def test_every_tool_tells_an_agent_what_it_needs(tools):
    for tool in tools.values():
        assert tool.description and len(tool.description) < 300
        assert tool.title
        assert tool.output_schema["type"] == "object"
        assert tool.annotations.read_only_hint is not None
        assert tool.annotations.open_world_hint is False
        for name, schema in tool.input_schema["properties"].items():
            assert schema.get("description"), f"{tool.name}.{name}"


def test_only_deleting_and_cancelling_are_destructive(tools):
    assert {t.name for t in tools.values() if t.annotations.destructive_hint} == {
        "delete_model",
        "cancel_job",
    }
    assert not any(
        tools[name].annotations.read_only_hint for name in ("import_signal", "fit_signal", "lift", "delete_model")
    )


def test_a_signal_is_imported_listed_and_described(server, knock):
    kept = server.call("import_signal", samples=knock, sample_rate=512, unit="mV", name="a knock")
    assert kept.data["name"] == "a knock"
    assert kept.data["samples"] == 256

    again = server.call("import_signal", samples=knock, sample_rate=512, unit="mV", name="a knock")
    assert again.data["id"] == kept.data["id"], "the same samples are the same signal"

    listed = server.call("list_signals")
    assert kept.data["id"] in [row["id"] for row in listed.data["items"]]

    told = server.call("describe_signal", signal=kept.data["id"][:10])
    [figures] = told.data["statistics"]
    assert figures["maximum"] == max(knock)
    assert figures["deviation"] == pytest.approx(np.std(knock))
    assert len(told.data["overview"]["low"]) == 64
    assert max(told.data["overview"]["high"]) == max(knock)
    assert "512 Hz" in told.text


def test_pages_follow_each_other(server, knock):
    for number in range(3):
        server.call("import_signal", samples=[number, *knock], sample_rate=512)
    seen, cursor = [], None
    while True:
        page = server.call("list_signals", limit=2, cursor=cursor)
        assert len(page.data["items"]) <= 2
        seen += [row["id"] for row in page.data["items"]]
        cursor = page.data["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) >= 3


def test_a_file_in_the_inbox_is_imported(server):
    inbox = server.service.settings.dredge_data / "inbox"
    inbox.mkdir(exist_ok=True)
    (inbox / "tone.csv").write_text("time,value\n" + "\n".join(f"{i / 100},{np.sin(i)}" for i in range(50)))

    kept = server.call("import_signal", path="tone.csv", unit="V")
    assert kept.data["samples"] == 50
    assert kept.data["unit"] == "V"


def test_a_short_signal_is_lifted_at_once(server, knock, mode):
    answer = server.call("lift", samples=knock, sample_rate=512, waves=1, mode=mode)
    [event] = answer.data["events"]
    assert event["time"] == pytest.approx(0.25, abs=1e-4)
    assert event["frequency"] == pytest.approx(60, rel=1e-3)
    assert event["width"] == pytest.approx(0.03, rel=1e-2)
    assert answer.data["model"] is None, "nothing is kept unless asked"
    assert "60 Hz" in answer.text


def test_a_text_is_lifted_by_its_code_points(server):
    answer = server.call("lift", text="Digital memory must be human-reachable.", waves=2)
    assert answer.data["waves"] == 2


def test_a_lift_can_keep_its_model(server, knock):
    kept = server.call("lift", samples=knock, sample_rate=512, waves=1, save_as="kept-knock")
    assert (kept.data["model"], kept.data["version"]) == ("kept-knock", 1)
    assert "dredge://models/kept-knock/1" in kept.links

    detail = server.call("describe_model", model="kept-knock")
    assert detail.data["versions"] == [1]
    assert detail.data["model"]["numbers"] == kept.data["numbers"]
    assert detail.data["settings"]["waves"] == 1


def test_values_are_those_of_python(server, heart, mode):
    times = np.linspace(0.05, 2.7, 57)
    field = server.service.load("heart")

    points = server.call("evaluate", model="heart", points=times.tolist(), mode=mode)
    assert points.data["values"] == pytest.approx(evaluate(field, times), abs=1e-12, rel=0)

    grid = server.call("evaluate", model="heart", grid=[{"start": 0.05, "stop": 2.7, "count": 57}], mode=mode)
    assert grid.data["values"] == pytest.approx(evaluate(field, times), abs=1e-12, rel=0)
    assert grid.data["complete"] is True


def test_a_large_grid_is_cut_and_linked(server, heart):
    grid = server.call("evaluate", model="heart", grid=[{"start": 0, "stop": 2.5, "count": 4096}])
    assert len(grid.data["values"]) == 256
    assert grid.data["shape"] == [4096]
    assert grid.data["complete"] is False
    assert sum(len(block.model_dump_json()) for block in grid.content) < 2_000
    assert grid.links == ["dredge://models/heart/1/values/0.0:2.5:4096"]


def test_events_are_those_of_python_and_can_be_filtered(server, heart):
    truth = server.service.events("heart")
    every = server.call("find_events", model="heart")
    assert [row["time"] for row in every.data["events"]] == [event.time for event in truth]
    assert [row["frequency"] for row in every.data["events"]] == [event.frequency for event in truth]
    assert "dredge://models/heart/1/events.csv" in every.links

    strong = server.call("find_events", model="heart", sort="energy", limit=3)
    energies = [row["energy"] for row in strong.data["events"]]
    assert energies == sorted((event.energy for event in truth), reverse=True)[:3]
    assert strong.data["found"] == 12

    middle = np.median([event.amplitude for event in truth])
    loud = server.call("find_events", model="heart", min_amplitude=middle)
    assert loud.data["found"] == sum(event.amplitude >= middle for event in truth)

    late = server.call("find_events", model="heart", start=1.0, stop=2.0, low=0, high=20)
    assert all(1 <= row["time"] <= 2 and row["frequency"] <= 20 for row in late.data["events"])


def test_two_models_are_compared_on_their_signal(server, ecg, heart):
    server.call("lift", signal=ecg.id, waves=4, save_as="small-heart")
    told = server.call("compare_models", first="heart", second="small-heart")
    assert told.data["points"] == 1024
    assert told.data["first_error"] < told.data["second_error"]
    assert "heart, version 1, is nearer" in told.text


def test_a_plot_is_a_small_png(server, heart):
    answer = server.call("plot", model="heart")
    [picture] = [block for block in answer.content if block.type == "image"]
    data = base64.b64decode(picture.data)
    assert picture.mime_type == "image/png"
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", data[16:24])
    assert width <= 800 and height > 100
    assert len(data) < 100_000


def test_an_estimate_comes_before_the_fit(server, ecg):
    estimate = server.call("estimate_fit", signal=ecg.id, waves=12)
    assert estimate.data["numbers"] == 73
    assert estimate.data["seconds"] > 0


def test_a_model_is_deleted(server, knock):
    server.call("lift", samples=knock, sample_rate=512, waves=1, save_as="short-lived")
    listed = server.call("list_models", limit=100)
    assert "short-lived" in [row["name"] for row in listed.data["items"]]

    server.call("delete_model", model="short-lived")
    assert "short-lived" in server.refused("describe_model", model="short-lived")
