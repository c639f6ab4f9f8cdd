// Starts the stand-in for Unikraft Cloud by itself: node tools/cloud-stand-in/main.ts [--port N] [--registry HOST]
import { parseArgs } from 'node:util';
import { standInToken, startStandIn } from './server.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    registry: { type: 'string' },
    image: { type: 'string', multiple: true },
    instances: { type: 'string' },
  },
});
const { url } = await startStandIn({
  port: Number(values.port ?? 0),
  images: values.image ?? [],
  ...(values.registry === undefined ? {} : { registry: values.registry }),
  ...(values.instances === undefined ? {} : { quota: { instances: Number(values.instances) } }),
});
process.stdout.write(`A stand-in for Unikraft Cloud, not the real one. Try it by:\n`);
process.stdout.write(`export UKC_METRO=${url}\nexport UKC_TOKEN=${standInToken}\n`);
