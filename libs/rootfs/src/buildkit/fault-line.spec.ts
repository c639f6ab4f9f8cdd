import { afterEach, beforeEach, expect, test } from 'vitest';
import { startFailingBuildkit } from '../../test/failing-buildkit.ts';
import { Workspace } from '../../test/workspace.ts';
import { encode } from './protobuf.ts';

let workspace: Workspace;
beforeEach(() => {
  workspace = new Workspace();
});
afterEach(() => workspace.remove());

/** As BuildKit 0.32 sends it: protobuf around JSON. */
function source(filename: string, data: string, ...lines: readonly number[]): Buffer {
  const ranges = lines.map((line) => ({ start: { line }, end: { line } }));
  const info = { filename, data: Buffer.from(data).toString('base64'), language: 'Dockerfile' };
  return encode([
    [1, 'github.com/moby/buildkit/errdefs.Source+json'],
    [2, JSON.stringify({ info, ranges })],
  ]);
}

/** What a build of a Dockerfile fails with when BuildKit gives these details. */
async function failure(text: string, details: readonly Buffer[]): Promise<unknown> {
  workspace.put('Dockerfile', text);
  const status = encode([[1, 2], [2, 'invalid signal: 0'], ...details.map((detail) => [3, detail] as const)]);
  const buildkit = await startFailingBuildkit(workspace.path('buildkitd.sock'), {
    'grpc-status': '2',
    'grpc-message': 'invalid signal: 0',
    // Without the signs that fill up, as gRPC has it.
    'grpc-status-details-bin': status.toString('base64').replace(/=+$/, ''),
  });
  try {
    return await workspace
      .build('Dockerfile', { builder: 'buildkit', buildkitHost: buildkit.host })
      .catch((error: unknown) => error);
  } finally {
    buildkit.stop();
  }
}

const lines = ['FROM scratch', 'COPY a /', '# why', 'STOPSIGNAL \\', '  0', ''].join('\n');
const trace = encode([
  [1, 'github.com/moby/buildkit/stack.Stack+json'],
  [2, '{}'],
]);

test('the line of a fault is the first of the innermost place in the Dockerfile that BuildKit tells', async () => {
  const details = [trace, source('Dockerfile', lines, 1), source('Dockerfile', lines, 5, 4), source('other', lines, 2)];
  await expect(failure(lines, details)).resolves.toMatchObject({
    code: 'BUILD_FAILED',
    at: `${workspace.path('Dockerfile')}:4`,
    message: 'invalid signal: 0\n  4 | STOPSIGNAL \\',
  });
});

test('without a line in the details there is none', async () => {
  for (const details of [[], [trace], [source('Dockerfile', lines)], [source('Dockerfile', lines, 0)]]) {
    await expect(failure(lines, details)).resolves.toMatchObject({
      code: 'BUILD_FAILED',
      at: workspace.path('Dockerfile'),
      message: 'invalid signal: 0',
    });
  }
});
