// Starts the cache server: npm run cache-server -- [--folder FOLDER] [--port PORT] [--host ADDRESS]
import { parseArgs } from 'node:util';
import { startCacheServer } from './server.ts';

const { values } = parseArgs({
  options: {
    folder: { type: 'string', default: '.nx/cache-server' },
    port: { type: 'string', default: '3300' },
    host: { type: 'string', default: '127.0.0.1' },
  },
});
const { CACHE_READ_TOKEN, CACHE_WRITE_TOKEN, CACHE_BRANCH_TOKEN } = process.env;
if (!CACHE_READ_TOKEN && !CACHE_WRITE_TOKEN && !CACHE_BRANCH_TOKEN) {
  process.stderr.write('Set CACHE_WRITE_TOKEN, CACHE_READ_TOKEN or CACHE_BRANCH_TOKEN to secrets of your own.\n');
  process.exit(2);
}
const server = await startCacheServer({
  folder: values.folder,
  port: Number(values.port),
  host: values.host,
  tokens: { read: CACHE_READ_TOKEN, write: CACHE_WRITE_TOKEN, branch: CACHE_BRANCH_TOKEN },
  onRequest: (line) => process.stdout.write(`${line}\n`),
});
process.stdout.write(`NX_SELF_HOSTED_REMOTE_CACHE_SERVER=${server.url}\n`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    server.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
}
