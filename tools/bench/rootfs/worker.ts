// Builds a Dockerfile by an engine and tells how much memory that needed: worker.ts CONTEXT OUTPUT DOCKER_HOST
import { buildRootfs } from '@nx-kraft/rootfs';

async function main(): Promise<void> {
  const [context = '', output = '', host = ''] = process.argv.slice(2);
  const before = process.resourceUsage().maxRSS;
  const env = { ...process.env, DOCKER_HOST: host };
  await buildRootfs({ source: 'Dockerfile', baseDirectory: context, builder: 'docker', env }, output);
  process.stdout.write(String((process.resourceUsage().maxRSS - before) / 1024));
}

void main();
