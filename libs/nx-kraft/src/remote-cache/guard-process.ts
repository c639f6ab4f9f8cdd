// The process of a guard: tells its address on standard output, and ends when it is told to or when its owner is gone.
import { setInterval } from 'node:timers';
import { describeError, isAlive } from '@nx-kraft/base';
import { startGuard } from './guard.ts';

const {
  NX_SELF_HOSTED_REMOTE_CACHE_SERVER = '',
  NX_KRAFT_CACHE_SECRET = '',
  NX_KRAFT_CACHE_TIMEOUT = '10',
} = process.env;
const owner = Number(process.argv[2]);

startGuard({
  server: NX_SELF_HOSTED_REMOTE_CACHE_SERVER,
  secret: NX_KRAFT_CACHE_SECRET,
  timeout: Number(NX_KRAFT_CACHE_TIMEOUT) * 1000,
  onStop: () => process.exit(0),
}).then(
  (address) => process.stdout.write(`${address}\n`),
  (error: unknown) => {
    process.stderr.write(`${describeError(error)}\n`);
    process.exit(1);
  },
);

setInterval(() => {
  if (!isAlive(owner)) process.exit(0);
}, 1000);
