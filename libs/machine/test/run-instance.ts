// Runs an instance in the foreground as a program of its own: run-instance.ts ROOT PLAN_AS_JSON NAME
import { Instances, type KernelRun } from '../src/index.ts';

const [, , root = '', plan = '', name = ''] = process.argv;
void new Instances(root).run(JSON.parse(plan) as KernelRun, { name }, {});
