"""Completion of the names that prompts and resource addresses ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import anyio.to_thread
from mcp.server import MCPServer
from mcp.types import (
    Completion,
    CompletionArgument,
    CompletionContext,
    PromptReference,
    ResourceTemplateReference,
)

from dredge.errors import NotFound
from dredge.mcp.caller import current_caller
from dredge.service import Service

MOST = 100  # values that the protocol lets one answer hold
MOST_SEARCHED = 1_000

Given = dict[str, str]


def add_completion(server: MCPServer[Any], service: Service) -> None:
    """Complete names of models, versions, signals and jobs."""
    names = _Names(service)

    async def complete(
        ref: PromptReference | ResourceTemplateReference,
        argument: CompletionArgument,
        context: CompletionContext | None,
    ) -> Completion | None:
        current_caller().require("read")
        source = names.of(ref, argument.name)
        if source is None:
            return None
        given = dict((context.arguments if context else None) or {})
        return await anyio.to_thread.run_sync(_take, source, given, argument.value)

    server.completion()(complete)  # type: ignore[no-untyped-call]


class _Names:
    def __init__(self, service: Service) -> None:
        self.service = service

    def of(
        self, ref: PromptReference | ResourceTemplateReference, argument: str
    ) -> Callable[[Given], Iterator[str]] | None:
        """Where the values of an argument come from."""
        if isinstance(ref, ResourceTemplateReference):
            room = ref.uri.removeprefix("dredge://").split("/")[0]
            return {
                ("models", "name"): self.models,
                ("models", "version"): self.versions,
                ("signals", "signal"): self.signals,
                ("jobs", "job"): self.jobs,
            }.get((room, argument))
        return {
            "model": self.models,
            "first": self.models,
            "second": self.models,
            "signal": self.signals,
        }.get(argument)

    def models(self, _: Given) -> Iterator[str]:
        return (record.name for record in _pages(self.service.models))

    def signals(self, _: Given) -> Iterator[str]:
        return (record.id for record in _pages(self.service.signals))

    def jobs(self, _: Given) -> Iterator[str]:
        return (job.id for job in _pages(self.service.jobs))

    def versions(self, given: Given) -> Iterator[str]:
        yield "newest"
        if name := given.get("name"):
            try:
                yield from (str(record.version) for record in reversed(self.service.versions(name)))
            except NotFound:
                return


def _take(source: Callable[[Given], Iterator[str]], given: Given, begun: str) -> Completion:
    found = [value for value in islice(source(given), MOST_SEARCHED) if value.startswith(begun)]
    return Completion(values=found[:MOST], total=len(found), has_more=len(found) > MOST)


def _pages(list_page: Any) -> Iterator[Any]:
    cursor = None
    while True:
        page = list_page(cursor=cursor, limit=100)
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            return
