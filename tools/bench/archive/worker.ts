// Makes one archive and tells how long it took and how much memory it needed: worker.ts SOURCE OUTPUT
import { buildRootfs } from '@nx-kraft/rootfs/build';

async function main(): Promise<void> {
  const [source = '', output = ''] = process.argv.slice(2);
  const before = process.resourceUsage().maxRSS;
  const start = performance.now();
  await buildRootfs({ source, baseDirectory: '/' }, output);
  const time = performance.now() - start;
  const memory = (process.resourceUsage().maxRSS - before) / 1024;
  process.stdout.write(JSON.stringify({ time, memory }));
}

void main();
