"""The protocol server: its tools, resources and prompts; errors, scopes, metrics and audit in one place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import structlog
from mcp.server import MCPServer
from mcp.server.caching import CacheHint
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import (
    ResourceError,
    ResourceNotFoundError,
    ToolError,
    UnexpectedResourceError,
    UnexpectedToolError,
)
from mcp.shared.exceptions import MCPError
from mcp.types import INVALID_PARAMS, CallToolResult, GetPromptResult, InputRequiredResult
from pydantic import AnyUrl, ValidationError

from dredge._version import __version__
from dredge.access import Scope
from dredge.errors import DredgeError, InvalidInput, NotFound
from dredge.mcp.caller import current_caller
from dredge.mcp.completion import add_completion
from dredge.mcp.errors import encodable, explain_arguments, sentence
from dredge.mcp.prompts import add_prompts
from dredge.mcp.resources import add_resources
from dredge.mcp.tools import add_tools
from dredge.service import Service
from dredge.telemetry import metrics

NAME = "quasimoto"
TITLE = "DREDGE Quasimoto"
DESCRIPTION = "Recordings as short lists of waves"
INSTRUCTIONS = """\
DREDGE turns recordings (an ECG, a seismogram, a vibration) into waves: short lists of events, each with a
time, a width, a frequency, a chirp rate and an amplitude. Usual order: list_signals or import_signal;
describe_signal; fit_signal (answers at once with a job) and wait_for_job, or lift for short signals;
find_events; plot. evaluate gives values of a model at any time, also between the samples. Times are in the
unit of the signal's axis (mostly s), frequencies in 1/unit (mostly Hz)."""

audit = structlog.get_logger("dredge.audit")

NAMED = (
    "signal",
    "model",
    "job",
    "first",
    "second",
    "path",
    "name",
    "version",
    "save_as",
)  # what an audit line repeats


class QuasimotoServer(MCPServer[Any]):
    """The official server, telling errors as sentences and asking for the caller's scope."""

    def __init__(self, service: Service) -> None:
        super().__init__(
            name=NAME,
            title=TITLE,
            description=DESCRIPTION,
            instructions=INSTRUCTIONS,
            version=__version__,
            log_level="WARNING",
            cache_hints={
                "tools/list": CacheHint(300_000, "public"),
                "prompts/list": CacheHint(300_000, "public"),
                "resources/templates/list": CacheHint(300_000, "public"),
                "resources/list": CacheHint(300_000, "public"),
            },
        )
        add_tools(self, service)
        add_resources(self, service)
        add_prompts(self)
        add_completion(self, service)

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool. Raises ToolError with a sentence for everything that goes wrong."""
        outcome = "error"
        try:
            self._check_call(name, arguments)
            result = await super().call_tool(name, arguments, context)
            outcome = "ok"
            return result
        except DredgeError as error:
            raise ToolError(sentence(error, name)) from error
        except ToolError as error:
            cause = error.__cause__
            if isinstance(error, UnexpectedToolError):
                raise ToolError(sentence(cause if isinstance(cause, Exception) else error, name)) from cause
            if isinstance(cause, ValidationError):
                raise ToolError(explain_arguments(cause)) from cause
            raise
        finally:
            known = self._tool_manager.get_tool(name) is not None
            metrics.MCP_CALLS.labels(tool=name if known else "unknown", outcome=outcome).inc()
            if known and self.scope_of(name, arguments) == "write":
                audit.info(
                    "write",
                    door="mcp",
                    action=name,
                    caller=current_caller().name,
                    outcome=outcome,
                    **{key: value for key, value in arguments.items() if key in NAMED},
                )

    async def read_resource(
        self, uri: AnyUrl | str, context: Context[Any, Any] | None = None
    ) -> Iterable[ReadResourceContents] | InputRequiredResult:
        """Read a resource. Raises ResourceError with a sentence for everything that goes wrong."""
        try:
            current_caller().require("read")
            return await super().read_resource(uri, context)
        except DredgeError as error:
            raise ResourceError(sentence(error, str(uri))) from error
        except UnexpectedResourceError as error:
            cause = error.__cause__
            while isinstance(cause, ResourceError) and isinstance(cause.__cause__, Exception):
                cause = cause.__cause__
            told = sentence(cause if isinstance(cause, Exception) else error, str(uri))
            # A wrong address is the reader's mistake, the rest is ours; the protocol tells them apart.
            kind = ResourceNotFoundError if isinstance(cause, NotFound | InvalidInput) else ResourceError
            raise kind(told) from cause

    async def get_prompt(
        self, name: str, arguments: dict[str, Any] | None = None, context: Context[Any, Any] | None = None
    ) -> GetPromptResult | InputRequiredResult:
        """A prompt with its arguments filled in. Raises MCPError naming what is missing or unknown."""
        try:
            current_caller().require("read")
            self._check_prompt(name, arguments or {})
            return await super().get_prompt(name, arguments, context)
        except (DredgeError, ValueError) as error:
            raise MCPError(code=INVALID_PARAMS, message=encodable(str(error))) from error

    def scope_of(self, tool: str, arguments: dict[str, Any]) -> Scope:
        """The scope that a call needs."""
        found = self._tool_manager.get_tool(tool)
        if tool == "lift":
            return "read" if arguments.get("save_as") is None else "write"
        reads = found is None or found.annotations is None or found.annotations.read_only_hint
        return "read" if reads else "write"

    def _check_call(self, name: str, arguments: dict[str, Any]) -> None:
        caller = current_caller()
        caller.require(self.scope_of(name, arguments))
        if (tool := self._tool_manager.get_tool(name)) is None:
            return
        known = tool.parameters.get("properties", {})
        for given in arguments:
            if given not in known:
                raise InvalidInput(
                    f"{name} has no argument {given!r}.", field=given, hint=f"It takes {', '.join(known)}."
                )

    def _check_prompt(self, name: str, arguments: dict[str, Any]) -> None:
        prompt = self._prompt_manager.get_prompt(name)
        for argument in (prompt.arguments or []) if prompt else []:
            if argument.required and argument.name not in arguments:
                raise InvalidInput(f"{argument.name} is missing.", field=argument.name)
