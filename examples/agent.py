"""The agent: what a language model does over MCP, done here by hand with the official client.

Needs a running DREDGE (`make up`), then:

    python examples/agent.py [http://127.0.0.1:3002/mcp]
"""

import asyncio
import sys

import numpy as np
from mcp import Client

import dredge

URL = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:3002/mcp"


async def main() -> None:
    async with Client(URL) as client:
        tools = await client.list_tools()
        print("tools:", ", ".join(tool.name for tool in tools.tools))

        times = np.arange(512) / 512
        samples = np.exp(-(((times - 0.4) / 0.05) ** 2)) * np.sin(2 * np.pi * 60 * times)
        imported = await client.call_tool("import_signal", {"samples": samples.tolist(), "sample_rate": 512, "name": "knock"})
        signal = imported.structured_content["id"]

        job = await client.call_tool("fit_signal", {"signal": signal, "waves": 2, "model": "knock"})
        await client.call_tool("wait_for_job", {"job": job.structured_content["id"]})

        found = await client.call_tool("find_events", {"model": "knock", "sort": "energy", "limit": 1})
        print(found.content[0].text)
        values = await client.call_tool("evaluate", {"model": "knock", "points": [0.4, 0.40101]})
        print("between the samples:", values.structured_content["values"])


if __name__ == "__main__":
    print("DREDGE", dredge.__version__)
    asyncio.run(main())
