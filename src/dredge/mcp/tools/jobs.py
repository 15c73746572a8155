"""Tools about background work: how it stands, wait for it, cancel it."""

from __future__ import annotations

import time
from typing import Annotated, Any

import anyio
import anyio.to_thread
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.types import CallToolResult, ResourceLink
from pydantic import Field

from dredge.jobs import Job
from dredge.mcp import shapes
from dredge.mcp.answers import answer, link
from dredge.mcp.inputs import JobId
from dredge.mcp.tools.kinds import ENDS, READS, add_tool
from dredge.service import Service

# Clients give up after 60 s without an answer.
LONGEST_WAIT = 55.0
FIRST_LOOK, SLOWEST_LOOK = 0.1, 1.0  # seconds between looks at a job


def add_tools(server: MCPServer[Any], service: Service) -> None:
    """Add job_status, wait_for_job and cancel_job."""
    tools = JobTools(service)
    add_tool(server, tools.job_status, "Look at a job", READS)
    add_tool(server, tools.wait_for_job, "Wait for a job", READS)
    add_tool(server, tools.cancel_job, "Cancel a job", ENDS)


class JobTools:
    """Work that runs behind the request: it lives in the queue, never in the connection of whoever asked."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def job_status(self, job: JobId) -> Annotated[CallToolResult, shapes.JobRow]:
        """How a job stands: state, share done, error so far, result."""
        return job_answer(self.service.job(job))

    async def wait_for_job(
        self,
        job: JobId,
        context: Context,
        seconds: Annotated[
            float, Field(description="How long to wait at most", gt=0, le=LONGEST_WAIT)
        ] = 50.0,
    ) -> Annotated[CallToolResult, shapes.JobRow]:
        """Wait until a job ends, with progress on the way. Answers after at most `seconds` in any case:
        call again when it has not ended by then."""
        deadline, pause, told = time.monotonic() + seconds, FIRST_LOOK, -1.0
        while True:
            found = await anyio.to_thread.run_sync(self.service.job, job)
            if found.ended or time.monotonic() >= deadline:
                return job_answer(found)
            if found.progress.fraction > told:  # the protocol wants progress that only grows
                told = found.progress.fraction
                await context.report_progress(told, 1.0, say_progress(found))
            await anyio.sleep(min(pause, max(0.0, deadline - time.monotonic())))
            pause = min(pause * 1.5, SLOWEST_LOOK)

    def cancel_job(self, job: JobId) -> Annotated[CallToolResult, shapes.JobRow]:
        """Stop a job that waits or runs. What it had found is not kept."""
        return job_answer(self.service.cancel_job(job))


def say_progress(job: Job) -> str:
    """What a job does now, in a few words."""
    return " · ".join(part for part in (job.state, job.progress.stage, job.progress.message) if part)


def job_answer(job: Job) -> CallToolResult:
    """A job as a tool's answer, with a link to the model it made."""
    made: list[ResourceLink] = []
    if job.state == "done" and job.result and "model" in job.result:
        name, version = job.result["model"], job.result["version"]
        text = f"Job {job.id} is done: {name}, version {version}, with {job.result.get('waves')} waves. "
        text += "find_events lists them."
        made = [
            link(f"dredge://models/{name}/{version}", "The model", "application/json"),
            link(f"dredge://models/{name}/{version}/events.csv", "Its events", "text/csv"),
        ]
    elif job.ended:
        text = f"Job {job.id} is {job.state}." + (f" {job.reason}" if job.reason else "")
    else:
        text = (
            f"Job {job.id}: {say_progress(job)}, {job.progress.fraction:.0%} done. Call wait_for_job again."
        )
    return answer(text, shapes.JobRow.of(job), *made)
