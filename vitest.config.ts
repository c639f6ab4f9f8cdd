import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// Two kinds of tests, both beside the code: `x.spec.ts` needs nothing but Node; `x.e2e.ts` starts real programs
// (QEMU, make, a registry, Nx) and fails, never skips, where they are missing. Their time is limited only so that one that
// hangs comes to an end: the longest takes less than a minute on two processors that have nothing else to do.
export default defineConfig({
  test: {
    reporters: process.env.CI ? ['default', './tools/setup/closing-line.ts'] : ['default'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['libs/**/*.spec.ts', 'tools/**/*.spec.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['libs/**/*.e2e.ts', 'tools/**/*.e2e.ts'],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
          // A core of Unikraft's make contract that is small enough to build in a test.
          env: { NX_KRAFT_TEST_CORE: join(import.meta.dirname, 'tools/test-kernel') },
        },
      },
    ],
  },
});
