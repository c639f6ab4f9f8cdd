import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findLicence } from './licence.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'licence-'));
});
afterEach(() => rm(folder, { recursive: true }));

it.each([
  [
    'COPYING.md',
    'Redistribution and use in source and binary forms …\nmay be used to endorse or promote products',
    'BSD-3-Clause',
  ],
  ['LICENSE', 'Redistribution and use in source and binary forms, with or without', 'BSD-2-Clause'],
  ['LICENSE.txt', 'Permission is hereby granted, free of charge, to any person obtaining', 'MIT'],
  ['COPYING', 'GNU GENERAL PUBLIC LICENSE\n   Version 2, June 1991', 'GPL-2.0-only'],
  ['Makefile.uk', '# SPDX-License-Identifier: BSD-3-Clause\n', 'BSD-3-Clause'],
  ['main.c', '/* SPDX-License-Identifier: MIT */', undefined],
])('%s', async (name, text, licence) => {
  await writeFile(join(folder, name), text);
  expect(findLicence(folder)).toBe(licence);
});

it('is told by its own file before all others', async () => {
  await writeFile(join(folder, 'README.md'), 'Apache License, Version 2.0');
  await writeFile(join(folder, 'COPYING'), 'SPDX-License-Identifier: ISC');
  expect(findLicence(folder)).toBe('ISC');
  expect(findLicence(folder, (name) => name !== 'COPYING')).toBe('Apache-2.0');
});
