"""Resources, prompts and completion, asked by a client of the official SDK."""

import base64
import csv
import io
import json

import numpy as np
import pytest
from mcp.shared.exceptions import MCPError
from mcp.types import PromptReference, ResourceTemplateReference


def read(server, uri, **options):
    async def work(client):
        [content] = (await client.read_resource(uri)).contents
        return content

    return server.ask(work, **options)


def read_json(server, uri):
    content = read(server, uri)
    assert content.mime_type == "application/json"
    return json.loads(content.text)


def complete(server, ref, name, value, given=None):
    async def work(client):
        return (await client.complete(ref, {"name": name, "value": value}, given)).completion

    return server.ask(work)


def test_resources_and_templates_are_listed(server, mode):
    async def work(client):
        resources = (await client.list_resources()).resources
        templates = (await client.list_resource_templates()).resource_templates
        return resources, templates

    resources, templates = server.ask(work, mode=mode)
    assert {r.uri for r in resources} == {"dredge://signals", "dredge://models", "dredge://jobs"}
    assert all(one.description and one.title for one in [*resources, *templates])
    assert "dredge://models/{name}/{version}/events.csv" in {t.uri_template for t in templates}


def test_signals_and_models_are_read_by_address(server, ecg, heart):
    assert ecg.id in [row["id"] for row in read_json(server, "dredge://signals")["items"]]
    assert read_json(server, f"dredge://signals/{ecg.id}")["samples"] == 1024
    assert "heart" in [row["name"] for row in read_json(server, "dredge://models")["items"]]
    assert read_json(server, "dredge://models/heart/1")["signal"] == ecg.id
    assert read_json(server, "dredge://models/heart/newest")["version"] >= 1
    assert "items" in read_json(server, "dredge://jobs")


def test_samples_are_a_table(server, ecg):
    rows = list(csv.reader(io.StringIO(read(server, f"dredge://signals/{ecg.id}/samples").text)))
    signal = server.service.signal(ecg.id)
    assert len(rows) == 1025
    assert [float(row[1]) for row in rows[1:]] == signal.samples[0].tolist()


def test_events_are_a_table_and_json(server, heart):
    truth = server.service.events("heart")
    table = list(csv.DictReader(io.StringIO(read(server, "dredge://models/heart/1/events.csv").text)))
    assert [float(row["time"]) for row in table] == [event.time for event in truth]
    rows = read_json(server, "dredge://models/heart/1/events.json")["events"]
    assert [row["amplitude"] for row in rows] == [event.amplitude for event in truth]


def test_a_link_of_a_large_grid_leads_to_all_values(server, heart):
    answer = server.call("evaluate", model="heart", grid=[{"start": 0, "stop": 2.5, "count": 1000}])
    [uri] = answer.links
    values = read_json(server, uri)["values"]
    expected = server.service.evaluate("heart", np.linspace(0, 2.5, 1000))
    assert values == pytest.approx(expected, abs=1e-12, rel=0)


def test_a_plot_is_a_picture(server, heart):
    content = read(server, "dredge://models/heart/1/plot.png")
    assert content.mime_type == "image/png"
    assert base64.b64decode(content.blob).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("uri", "named"),
    [
        ("dredge://models/nobody/1", "nobody"),
        ("dredge://models/nobody/newest/events.csv", "nobody"),
        ("dredge://models/heart/first", "first"),
        ("dredge://models/heart/1/values/abc", "abc"),
        ("dredge://models/heart/1/values/0:1:100000000", "65,536"),
        ("dredge://signals/0123456789", "0123456789"),
        ("dredge://jobs/nobody", "nobody"),
        ("dredge://models/..%2F..%2Fetc/1", "resource"),
        ("file:///etc/passwd", "resource"),
    ],
)
def test_an_address_that_leads_nowhere_is_said_so(server, heart, uri, named):
    with pytest.raises(MCPError, match=named):
        read(server, uri)


def test_every_prompt_is_described_and_names_tools_that_exist(server, mode):
    async def work(client):
        tools = {tool.name for tool in (await client.list_tools()).tools}
        prompts = (await client.list_prompts()).prompts
        texts = {}
        for prompt in prompts:
            given = {argument.name: "1" for argument in prompt.arguments}
            [message] = (await client.get_prompt(prompt.name, given)).messages
            texts[prompt.name] = message.content.text
        return tools, prompts, texts

    tools, prompts, texts = server.ask(work, mode=mode)
    assert {p.name for p in prompts} == {
        "what_is_in_this_recording",
        "compare_two_models",
        "explain_this_event",
        "fit_within_a_budget",
    }
    assert all(p.description and p.title and all(a.description for a in p.arguments) for p in prompts)
    for text in texts.values():
        assert len([tool for tool in tools if tool in text]) >= 3


@pytest.mark.parametrize(("name", "arguments"), [("compare_two_models", {"first": "a"}), ("no_such_prompt", {})])
def test_a_prompt_that_cannot_be_filled_in_is_said_so(server, name, arguments):
    async def work(client):
        return await client.get_prompt(name, arguments)

    with pytest.raises(MCPError, match=r"second|no_such_prompt"):
        server.ask(work)


def test_names_are_completed(server, ecg, heart):
    models = complete(
        server,
        ResourceTemplateReference(type="ref/resource", uri="dredge://models/{name}/{version}"),
        "name",
        "he",
    )
    assert "heart" in models.values
    assert all(value.startswith("he") for value in models.values)

    template = ResourceTemplateReference(type="ref/resource", uri="dredge://models/{name}/{version}/plot.png")
    assert complete(server, template, "version", "", {"name": "heart"}).values[:2] == ["newest", "1"]

    prompt = PromptReference(type="ref/prompt", name="what_is_in_this_recording")
    assert complete(server, prompt, "signal", ecg.id[:6]).values == [ecg.id]
    assert complete(server, prompt, "no-such-argument", "").values == []
