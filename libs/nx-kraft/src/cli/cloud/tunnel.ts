import { openTunnel, parseForward } from '@nx-kraft/cloud';
import { connectCloud } from '../../tasks/cloud/connect.ts';
import { tell, untilStopped } from '../../tasks/task.ts';
import { command } from '../command.ts';
import { cloudOptions, wholeNumber } from './options.ts';

export const tunnel = command({
  arguments: '[LOCAL:]INSTANCE:PORT…',
  options: {
    metro: cloudOptions.metro,
    'tunnel-proxy-port': {
      type: 'string',
      short: 'p',
      multiple: true,
      value: 'PORT',
      summary: 'ports of the instance between, one for each or the first of as many (4444)',
    },
    'tunnel-control-port': { type: 'string', short: 'P', value: 'PORT', summary: 'its port for the heartbeat (4443)' },
    'tunnel-image': { type: 'string', value: 'IMAGE', summary: 'what passes connections on' },
  },
  notes: [
    'An instance is started beside those that are meant, and removed on Ctrl-C. Examples: web:8080, 8333:web:80,',
    '172.16.28.8:5432. Only TCP is carried.',
  ].join('\n'),
  run: async ({ values, words }) => {
    const forwards = words.map(parseForward);
    const cloud = await connectCloud(values.metro);
    const { 'tunnel-image': image, 'tunnel-control-port': control, 'tunnel-proxy-port': proxies } = values;
    await untilStopped((signal) =>
      openTunnel(cloud, forwards, {
        signal,
        ...(image === undefined ? {} : { image }),
        ...(control === undefined ? {} : { controlPort: wholeNumber('tunnel-control-port', control) }),
        ...(proxies === undefined ? {} : { proxyPorts: proxies.map((port) => wholeNumber('tunnel-proxy-port', port)) }),
        onOpen: ({ local, target, port }) => tell(`127.0.0.1:${local} is ${target}:${port}`),
        onProblem: (problem) => process.stderr.write(`${problem}\n`),
      }),
    );
    return 0;
  },
});
