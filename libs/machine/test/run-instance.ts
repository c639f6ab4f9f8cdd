// Runs an instance in the foreground as a program of its own: run-instance.ts ROOT PLAN_AS_JSON NAME [hold]
// With `hold` it stops by itself when the instance is recorded, and before that is started.
import { Instances, type KernelRun } from '../src/index.ts';

const [, , root = '', plan = '', name = '', hold] = process.argv;
const options = hold === 'hold' ? { onCreated: () => void process.kill(process.pid, 'SIGSTOP') } : {};
void new Instances(root).run(JSON.parse(plan) as KernelRun, { name }, options);
