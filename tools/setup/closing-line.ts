import type { Reporter, TestModule } from 'vitest/node';

/** Ends a run with one plain line that counts the tests, for machines that read only that. */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string) => tests.filter((test) => test.result().state === state).length;
    // A module that could not be loaded ran no test; it still is a failure.
    const failed = count('failed') + modules.filter((module) => module.errors().length > 0).length;
    const skipped = tests.length - count('passed') - count('failed');
    process.stdout.write(`${count('passed')} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
    if (process.env.CI && skipped > 0) {
      process.stdout.write('A test that was skipped proves nothing: in CI it counts as a failure.\n');
      process.exitCode = 1;
    }
  }
}
