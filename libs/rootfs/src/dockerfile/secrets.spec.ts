import { tmpdir } from 'node:os';
import { basename, dirname } from 'node:path';
import { expect, test } from 'vitest';
import { readSecrets } from './secrets.ts';

test('a secret whose file is missing or a folder is told before a build begins, by what was written', () => {
  const read = (specification: string) => () => readSecrets([specification], dirname(tmpdir()), {});
  expect(read('id=one,src=no-such-file')).toThrow(
    /^the secret "id=one,src=no-such-file" leads to \/.*no-such-file: there is no such file or folder$/,
  );
  expect(read('id=no-such-file')).toThrow('the secret "id=no-such-file" leads to');
  expect(read(`id=one,src=${basename(tmpdir())}`)).toThrow('which is a folder');
});
