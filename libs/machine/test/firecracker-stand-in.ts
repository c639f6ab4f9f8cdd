// Answers Firecracker's API as its specification says (swagger of release 1.7: 204 for what it takes, 400 with
// fault_message for what it does not), writes the calls that it got to the file STAND_IN_CALLS, and plays a guest:
// firecracker-stand-in.ts --api-sock PATH --id ID
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { 'api-sock': { type: 'string' }, id: { type: 'string' } } });
const known = /^\/(?:network-interfaces\/\w+|drives\/\w+|machine-config|boot-source|actions|vm)$/;

createServer((question, answer) => {
  let text = '';
  question.on('data', (part) => (text += String(part)));
  question.on('end', () => {
    const { method = '', url = '' } = question;
    appendFileSync(process.env['STAND_IN_CALLS'] ?? '', `${JSON.stringify([method, url, JSON.parse(text)])}\n`);
    const refused = process.env['STAND_IN_REFUSES'];
    if (!known.test(url) || url === refused) {
      answer.writeHead(400, { 'Content-Type': 'application/json' });
      answer.end(JSON.stringify({ fault_message: process.env['STAND_IN_WORDS'] ?? `Invalid request path: ${url}` }));
      return;
    }
    answer.writeHead(204).end();
    if (url === '/actions') playGuest();
  });
}).listen(values['api-sock']);

function playGuest(): void {
  process.stdout.write('guest is up\r\n');
  const play = process.env['STAND_IN_PLAY'];
  if (play === 'crash') process.stdout.write('CRIT: [libkvmplat] Unhandled Trap 14 (page fault), error code=0x2\r\n');
  if (play !== 'hang') process.exit(0);
}
