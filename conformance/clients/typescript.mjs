// TypeScript SDK, `v1` or `v2` with a mode (`legacy`, `auto`, a revision): lists the tools, calls what the plan says.
import { readFileSync } from "node:fs";

const [sdk, mode] = process.argv.slice(2);
const plan = JSON.parse(readFileSync(0, "utf8"));
const who = { name: "openpos-hub-conformance", version: "1" };
const requestInit = { headers: { Authorization: `Bearer ${plan.key}` } };

const { Client, StreamableHTTPClientTransport } =
  sdk === "v1"
    ? {
        ...(await import("@modelcontextprotocol/sdk/client/index.js")),
        ...(await import("@modelcontextprotocol/sdk/client/streamableHttp.js")),
      }
    : await import("@modelcontextprotocol/client");
const negotiation = mode === "auto" ? { mode } : { mode: { pin: mode } };
const options = sdk === "v1" || mode === "legacy" ? {} : { versionNegotiation: negotiation };

const client = new Client(who, options);
const transport = new StreamableHTTPClientTransport(new URL(plan.url), { requestInit });
await client.connect(transport);
const tools = (await client.listTools()).tools.map((tool) => tool.name);
const results = [];
for (const { name, arguments: given } of plan.calls) {
  const result = await client.callTool({ name, arguments: given });
  results.push({ name, isError: Boolean(result.isError), text: result.content[0].text });
}
const version = transport.protocolVersion ?? "";
await client.close();
console.log(JSON.stringify({ version, tools, results }));
