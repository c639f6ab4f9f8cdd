import { run } from '@nx-kraft/base';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Workspace } from '../test/workspace.ts';

let workspace: Workspace;
beforeEach(() => {
  workspace = new Workspace();
});
afterEach(() => {
  vi.unstubAllEnvs();
  workspace.remove();
});

test.each([
  ['xz', '--xz', 'xz-utils'],
  ['bzip2', '--bzip2', 'bzip2'],
])('a tar archive that %s packed is unpacked by that program', async (program, option, debianPackage) => {
  workspace.put('app/bin/run', 'run', 0o755);
  workspace.put('app/big', 'x'.repeat(1_000_000));
  const { digest } = await workspace.build('app');
  await run('tar', ['-C', workspace.path('app'), option, '-cf', workspace.path('packed'), '.']);
  await expect(workspace.build('packed')).resolves.toMatchObject({ digest, kind: 'tar' });
  vi.stubEnv('PATH', '/nowhere');
  await expect(workspace.build('packed')).rejects.toMatchObject({
    code: 'PROGRAM_MISSING',
    message: `${program} is not installed`,
    hint: expect.stringContaining(debianPackage) as string,
  });
});
