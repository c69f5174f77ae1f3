// A client on the official TypeScript SDK: node client.mjs MODE URL | MODE COMMAND ARG...
// It does what a client does and prints what it got as one line of JSON.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

const [mode, target, ...args] = process.argv.slice(2);
const transport = target.startsWith('http')
  ? new StreamableHTTPClientTransport(new URL(target))
  : new StdioClientTransport({ command: target, args, env: process.env });
const client = new Client(
  { name: 'interop', version: '1' },
  { capabilities: { elicitation: { form: {} }, sampling: {}, roots: {} }, versionNegotiation: { mode: mode === 'modern' ? { pin: '2026-07-28' } : mode } },
);
const out = { asked: [] };
client.setRequestHandler('elicitation/create', async () => {
  out.asked.push('elicitation');
  return { action: 'accept', content: { name: 'Alice', username: 'alice', email: 'a@example.com' } };
});
client.setRequestHandler('sampling/createMessage', async () => {
  out.asked.push('sampling');
  return { role: 'assistant', content: { type: 'text', text: 'four' }, model: 'interop' };
});
client.setRequestHandler('roots/list', async () => ({ roots: [] }));
await client.connect(transport);
out.tools = (await client.listTools()).tools.length;
out.prompts = (await client.listPrompts()).prompts.length;
out.resources = (await client.listResources()).resources.length;
out.text = (await client.callTool({ name: 'test_simple_text', arguments: {} })).content[0].text;
let progress = 0;
await client.callTool({ name: 'test_tool_with_progress', arguments: {} }, { onprogress: () => { progress++; } });
out.progress = progress;
out.prompt = (await client.getPrompt({ name: 'test_simple_prompt' })).messages.length;
out.resource = (await client.readResource({ uri: 'test://static-text' })).contents.length;
out.answers = [];
for (const [name, args] of JSON.parse(process.env.QUESTIONS)) {
  out.answers.push((await client.callTool({ name, arguments: args })).content[0].text);
}
await client.close();
console.log(JSON.stringify(out));
process.exit(0);
