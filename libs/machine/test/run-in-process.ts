// Runs a kernel as a program of its own, so that tests can send signals to it: run-in-process.ts PLAN_AS_JSON
import { runKernel, type KernelRun } from '../src/index.ts';

const plan = JSON.parse(process.argv[2] ?? '') as KernelRun;
void runKernel(plan, {
  endOnSignals: true,
  onConsole: (chunk) => process.stdout.write(chunk),
}).then(({ exitCode }) => {
  process.exitCode = exitCode;
});
