import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Failure, startFailingBuildkit } from '../../test/failing-buildkit.ts';
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
async function failure(
  text: string,
  details: readonly Buffer[],
  how: (status: Buffer) => Omit<Failure, 'trailers'> = () => ({}),
): Promise<unknown> {
  workspace.put('Dockerfile', text);
  const status = encode([[1, 2], [2, 'invalid signal: 0'], ...details.map((detail) => [3, detail] as const)]);
  const trailers = {
    'grpc-status': '2',
    'grpc-message': 'invalid signal: 0',
    // Without the signs that fill up, as gRPC has it.
    'grpc-status-details-bin': status.toString('base64').replace(/=+$/, ''),
  };
  const buildkit = await startFailingBuildkit(workspace.path('buildkitd.sock'), { trailers, ...how(status) });
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

/** Lines of a Dockerfile of so many bytes. */
function longLines(length: number): string {
  return `FROM scratch\n# ${randomBytes(length).toString('base64')}\nSTOPSIGNAL 0\n`;
}

describe('an error that is larger than headers may be', () => {
  const text = longLines(40_000);
  const details = [source('Dockerfile', text, 3)];
  const record = (...fields: Parameters<typeof encode>[0]): Buffer => encode([[2, encode(fields)]]);
  const kept = encode([
    [1, 2],
    [2, 'invalid signal: 0'],
  ]);

  test('is taken from what BuildKit keeps of the build', async () => {
    const blob = encode([[2, 'sha256:abc']]);
    const told = await failure(text, details, (status) => ({
      answers: { ListenBuildHistory: record([5, kept], [18, blob]), Read: encode([[2, status]]) },
    }));
    expect(told).toMatchObject({
      code: 'BUILD_FAILED',
      at: `${workspace.path('Dockerfile')}:3`,
      message: 'invalid signal: 0\n  3 | STOPSIGNAL 0',
    });
    const withoutBlob = await failure(text, details, () => ({ answers: { ListenBuildHistory: record([5, kept]) } }));
    expect(withoutBlob).toMatchObject({ at: workspace.path('Dockerfile'), message: 'invalid signal: 0' });
  });

  test('is told as such by a BuildKit that keeps nothing', async () => {
    const expected = {
      at: workspace.path('Dockerfile'),
      message: 'the builder gave no answer that can be read, but most likely an error that is too large',
    };
    await expect(failure(text, details)).resolves.toMatchObject({ ...expected, code: 'BUILD_FAILED' });
    const answers = { ListenBuildHistory: record([1, 'reference']) };
    await expect(failure(text, details, () => ({ answers }))).resolves.toMatchObject(expected);
  });

  test('is told as such where it breaks the connection, too', async () => {
    await expect(failure(text, details, () => ({ isReckless: true }))).resolves.toMatchObject({
      code: 'BUILDER_FAILED',
      at: workspace.path('Dockerfile'),
      message: 'the builder gave no answer that can be read, but most likely an error that is too large',
    });
  });
});

test('an error that is as large as headers may be is read', async () => {
  const text = longLines(24_000);
  await expect(failure(text, [source('Dockerfile', text, 3)])).resolves.toMatchObject({
    at: `${workspace.path('Dockerfile')}:3`,
  });
});
