import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const licences = [/^LICEN[CS]E/i, /^COPYING/i];

/** Files that tell the licence of a source tree, the most certain first. */
const tellingFiles = [...licences, /^Makefile\.uk$/, /^README/i];

/** Whether a file at the top of a source tree is a licence itself, and no document that may tell of one. */
export function isLicence(name: string): boolean {
  return licences.some((pattern) => pattern.test(name));
}

/** Sentences that only one licence has, by its SPDX name. */
const sentences: readonly (readonly [string, RegExp])[] = [
  ['Apache-2.0', /Apache License,? Version 2\.0/i],
  ['MPL-2.0', /Mozilla Public License,? v(ersion|\.) ?2\.0/i],
  ['LGPL-3.0-only', /GNU LESSER GENERAL PUBLIC LICENSE\s+Version 3/i],
  ['LGPL-2.1-only', /GNU LESSER GENERAL PUBLIC LICENSE\s+Version 2\.1/i],
  ['GPL-3.0-only', /GNU GENERAL PUBLIC LICENSE\s+Version 3/i],
  ['GPL-2.0-only', /GNU GENERAL PUBLIC LICENSE\s+Version 2/i],
  ['BSD-3-Clause', /Redistribution and use in source and binary forms[^]*may be used to endorse or promote/i],
  ['BSD-2-Clause', /Redistribution and use in source and binary forms/i],
  ['MIT', /Permission is hereby granted, free of charge, to any person/i],
  ['ISC', /Permission to use, copy, modify, and\/or distribute this software/i],
];

/**
 * The licence of a source tree by its SPDX name (spdx.org/licenses): what a line `SPDX-License-Identifier` says, else
 * what a licence's own sentences tell. Only files at the top are looked at; undefined where none of them tells.
 *
 * @param isRead  whether a file may be looked at, by its name
 */
export function findLicence(folder: string, isRead: (name: string) => boolean = () => true): string | undefined {
  const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile() && isRead(entry.name));
  const texts = tellingFiles.flatMap((pattern) =>
    names.filter(({ name }) => pattern.test(name)).map(({ name }) => readFileSync(join(folder, name), 'utf8')),
  );
  for (const text of texts) {
    const found =
      /SPDX-License-Identifier:\s*([\w.+-]+)/.exec(text)?.[1] ??
      sentences.find(([, sentence]) => sentence.test(text))?.[0];
    if (found !== undefined) return found;
  }
  return undefined;
}
