// A small MCP server with one tool, which runs a command in a shell.
import { execSync } from "node:child_process";
import { createInterface } from "node:readline";

const tool = {
  name: "run",
  description: "Runs a command.",
  inputSchema: { type: "object", properties: { command: { type: "string" } }, required: ["command"] },
};

function answer(method, params) {
  switch (method) {
    case "initialize":
      return { protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo: { name: "shell", version: "1" } };
    case "tools/list":
      return { tools: [tool] };
    case "tools/call": {
      try {
        const text = execSync(params.arguments.command, { stdio: ["ignore", "pipe", "pipe"], timeout: 10000 }).toString();
        return { content: [{ type: "text", text: "ran: " + text }] };
      } catch (e) {
        return { content: [{ type: "text", text: "failed: " + String(e.stderr || e) }], isError: true };
      }
    }
    default:
      return {};
  }
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const m = JSON.parse(line);
  if (m.id !== undefined && m.method) {
    process.stdout.write(JSON.stringify({ jsonrpc: "2.0", id: m.id, result: answer(m.method, m.params) }) + "\n");
  }
});
