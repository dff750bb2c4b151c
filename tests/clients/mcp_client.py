"""The reference client of the Model Context Protocol against `vmfa mcp`: mcp_client.py MODE PROGRAM ARGUMENTS…

The devices: `ci/a`, `ci/b` and `ci/pair` with codes that nobody had, `ci/slow` whose next code is hours away, and one that isn't
allowed. The codes are printed as JSON, to be checked.
"""

import json
import os
import sys
import time

import anyio
import jsonschema
from mcp import Client
from mcp.client.stdio import StdioServerParameters

mode, program, *arguments = sys.argv[1:]
server = StdioServerParameters(command=program, args=arguments, env=dict(os.environ))


async def refused(client, tool, **arguments):
    result = await client.call_tool(tool, arguments)
    assert result.is_error, result
    failure = result.structured_content
    assert result.content[0].text.startswith(failure["message"]), result
    jsonschema.validate(failure, schemas[tool])
    return failure


async def answered(client, tool, **arguments):
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result
    assert json.loads(result.content[0].text) == result.structured_content, result
    jsonschema.validate(result.structured_content, schemas[tool])
    return result.structured_content


schemas = {}


async def session():
    async with Client(server, mode=mode) as client:
        assert client.protocol_version == "2025-11-25", client.protocol_version
        assert client.server_info.name == "vmfa" and client.instructions
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert sorted(tools) == ["get_code", "get_pair", "list_devices"], tools
        for name, tool in tools.items():
            schemas[name] = tool.output_schema
            jsonschema.Draft202012Validator.check_schema(tool.input_schema)
            jsonschema.Draft202012Validator.check_schema(tool.output_schema)
        devices = (await answered(client, "list_devices"))["devices"]
        assert [device["name"] for device in devices] == ["ci/a", "ci/b", "ci/pair", "ci/slow"], devices
        code = await answered(client, "get_code", device="ci/a")
        pool = await answered(client, "get_code", device="ci/?")
        assert pool["device"] == "ci/b", pool

        # A call that waits for hours: its progress is told, others are answered meanwhile, and then it is cancelled.
        await answered(client, "get_code", device="ci/slow")
        told = []

        async def progress(done, total, message):
            told.append((done, total, message))

        async def waits():
            await client.call_tool("get_code", {"device": "ci/slow", "timeout": 86400}, progress_callback=progress)
            raise AssertionError("hours have passed")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(waits)
            with anyio.fail_after(30):
                while not told:
                    await anyio.sleep(0.01)
                await answered(client, "list_devices")
                await client.send_ping()
            tasks.cancel_scope.cancel()
        ((done, total, message),) = told
        assert done == 0 and total > 0 and "ci/slow" in message, told

        pair = await answered(client, "get_pair", device="ci/pair")
        hidden = await refused(client, "get_code", device="hidden")
        nowhere = await refused(client, "get_code", device="nowhere")
        assert hidden["kind"] == "no-such-device"
        assert json.dumps(hidden).replace("hidden", "nowhere") == json.dumps(nowhere), (hidden, nowhere)
        assert (await refused(client, "get_code", device="ci/a", timeout=-1))["kind"] == "usage"
        ended = time.monotonic()
    # The client closes stdin, and would send signals after two seconds.
    assert time.monotonic() - ended < 2, "it doesn't end with stdin"
    return {"code": code, "pool": pool, "pair": pair}


print(json.dumps(anyio.run(session)))
