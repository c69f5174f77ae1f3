"""A client on the official Python SDK: client.py MODE URL | MODE COMMAND ARG...

It does what a client does and prints what it got as one line of JSON.
"""

import asyncio
import json
import os
import sys

from mcp import Client, types
from mcp.client.stdio import StdioServerParameters


async def main() -> None:
    mode, target, *args = sys.argv[1:]
    mode = "2026-07-28" if mode == "modern" else mode
    server = target if target.startswith("http") else StdioServerParameters(command=target, args=args, env=dict(os.environ))
    out = {"asked": []}

    async def elicit(context, params):
        out["asked"].append("elicitation")
        return types.ElicitResult(action="accept", content={"name": "Alice", "username": "alice", "email": "a@example.com"})

    async def sample(context, params):
        out["asked"].append("sampling")
        return types.CreateMessageResult(role="assistant", content=types.TextContent(type="text", text="four"), model="interop")

    progress = 0

    async def on_progress(*_):
        nonlocal progress
        progress += 1

    async with Client(server, mode=mode, elicitation_callback=elicit, sampling_callback=sample) as client:
        out["tools"] = len((await client.list_tools()).tools)
        out["prompts"] = len((await client.list_prompts()).prompts)
        out["resources"] = len((await client.list_resources()).resources)
        out["text"] = (await client.call_tool("test_simple_text", {})).content[0].text
        await client.call_tool("test_tool_with_progress", {}, progress_callback=on_progress)
        out["progress"] = progress
        out["prompt"] = len((await client.get_prompt("test_simple_prompt")).messages)
        out["resource"] = len((await client.read_resource("test://static-text")).contents)
        out["answers"] = []
        for name, arguments in json.loads(os.environ["QUESTIONS"]):
            out["answers"].append((await client.call_tool(name, arguments)).content[0].text)
    print(json.dumps(out))


asyncio.run(main())
