import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { extract, pack, type Headers } from 'tar-stream';
import { describe, expect, test } from 'vitest';
import { bytesOf, flatten, trees } from '../test/trees.ts';
import { layerTar, type TarEntry, tarEnd, tarHeader, TarParser, tarPadding } from './index.ts';

test.each([
  ['unikraft/bin/kernel', 0o755, 'KERNEL\n', '67ca3871fc380b31798fd54e83f58b56cf118f4cac56ae1213bef1be1480d9ac'],
  ['unikraft/bin/initrd', 0o644, 'INITRD\n', 'd22277be62d89a327cb0e003490056fac8914f6d3787633cf3e2fe38f71a53c1'],
])('the layer of %s is the one that KraftKit writes', (path, mode, content, digest) => {
  const { header, trailer, size } = layerTar(path, content.length, mode);
  const layer = Buffer.concat([header, Buffer.from(content), trailer]);
  expect(layer.length).toBe(size);
  expect(createHash('sha256').update(layer).digest('hex')).toBe(digest);
});

interface Read extends TarEntry {
  content: Buffer;
}

function read(archive: Uint8Array, chunkSize = archive.length): Read[] {
  const entries: Read[] = [];
  const parser = new TarParser(
    {
      entry: (entry) => entries.push({ ...entry, content: Buffer.alloc(0) }),
      data: (chunk, start, end) => {
        const last = entries.at(-1);
        if (last !== undefined) last.content = Buffer.concat([last.content, chunk.subarray(start, end)]);
      },
    },
    'test.tar',
  );
  for (let at = 0; at < archive.length; at += chunkSize) parser.push(archive.subarray(at, at + chunkSize));
  parser.end();
  return entries;
}

test('what the writer writes the parser reads, in chunks of any size', () => {
  fc.assert(
    fc.property(trees(), fc.integer({ min: 1, max: 2000 }), (root, chunkSize) => {
      const files = flatten(root);
      const archive = Buffer.concat([
        ...files.flatMap(({ name, node }) => {
          const content = node.kind === 'file' ? bytesOf(node) : Buffer.alloc(0);
          const { kind, meta } = node;
          const linkName = node.kind === 'symlink' ? node.target : '';
          const header = tarHeader({ name, type: kind, mode: meta.mode, size: content.length, linkName });
          return [header, content, Buffer.alloc(tarPadding(content.length))];
        }),
        tarEnd,
      ]);
      const found = read(archive, chunkSize);
      expect(found.map(({ name, type, mode }) => [name, type, mode])).toEqual(
        files.map(({ name, node }) => [name, node.kind, node.meta.mode]),
      );
      files.forEach(({ node }, index) => {
        const entry = found[index];
        if (node.kind === 'file') expect(entry?.content).toEqual(bytesOf(node));
        if (node.kind === 'symlink') expect(entry?.linkName).toBe(node.target);
      });
    }),
    { numRuns: 60 },
  );
});

async function readWithTarStream(archive: Buffer): Promise<Headers[]> {
  const headers: Headers[] = [];
  const stream = extract();
  stream.on('entry', (header, content, next) => {
    headers.push(header);
    content.on('end', next);
    content.resume();
  });
  await new Promise<void>((resolve, reject) => {
    stream.on('finish', () => resolve());
    stream.on('error', reject);
    stream.end(archive);
  });
  return headers;
}

test('tar-stream reads our headers as we meant them', async () => {
  await fc.assert(
    fc.asyncProperty(trees({ text: true }), async (root) => {
      const files = flatten(root).filter(({ name }) => !name.includes('�'));
      const archive = Buffer.concat([
        ...files.map(({ name, node }) =>
          tarHeader({
            name,
            type: node.kind,
            mode: node.meta.mode,
            size: 0,
            linkName: node.kind === 'symlink' ? node.target : '',
          }),
        ),
        tarEnd,
      ]);
      const headers = await readWithTarStream(archive);
      expect(headers.map(({ name, type, mode }) => [name, type, mode])).toEqual(
        files.map(({ name, node }) => [Buffer.from(name, 'latin1').toString(), node.kind, node.meta.mode]),
      );
    }),
    { numRuns: 40 },
  );
});

test('the parser reads what tar-stream writes', async () => {
  const names = ['a', 'b/c', `${'d'.repeat(90)}/${'e'.repeat(90)}`, `${'ü'.repeat(80)}/x`];
  const packer = pack();
  for (const name of names) packer.entry({ name, uid: 100_000 }, name);
  packer.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of packer) chunks.push(chunk);
  const found = read(Buffer.concat(chunks));
  expect(found.map(({ name }) => Buffer.from(name, 'latin1').toString())).toEqual(names);
  expect(found.map(({ content }) => content.toString())).toEqual(names);
  expect(found.map(({ uid }) => uid)).toEqual(names.map(() => 100_000));
});

describe('a damaged archive', () => {
  const file = tarHeader({ name: 'f', type: 'file', mode: 0o644, size: 600 });
  const content = Buffer.alloc(1024);
  const whole = Buffer.concat([file, content, tarEnd]);

  test.each([
    ['in a header', 300],
    ['in a file', 900],
    ['in the padding', 1400],
    ['before the end mark', 1536],
  ])('that ends %s is told as cut off', (_, length) => {
    expect(() => read(whole.subarray(0, length))).toThrow(expect.objectContaining({ code: 'ARCHIVE_TRUNCATED' }));
  });

  test('with a wrong check sum is refused', () => {
    const broken = Buffer.from(whole);
    broken[0] = 65;
    expect(() => read(broken)).toThrow(expect.objectContaining({ code: 'ARCHIVE_INVALID', at: 'test.tar' }));
  });

  test.each([
    ['a length beyond its end', '99 path=x\n'],
    ['a length of a terabyte', '1000000000000 path=x\n'],
    ['no length', 'path=x\n'],
    ['no value', '7 path\n'],
    ['a negative size', '12 size=-12\n'],
    ['no newline', '9 path=xy'],
  ])('with a pax header with %s is refused', (_, records) => {
    const header = paxHeader(records);
    expect(() => read(Buffer.concat([header, file, content, tarEnd]))).toThrow(
      expect.objectContaining({ code: 'ARCHIVE_INVALID' }),
    );
  });

  test('that claims a name of a terabyte is refused without reserving memory', () => {
    const header = tarHeader({ name: 'x', type: 'file', mode: 0, size: 0o7777777777 });
    header.write('L', 156);
    header.write('        ', 148);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    expect(() => read(header)).toThrow(expect.objectContaining({ code: 'ARCHIVE_INVALID' }));
  });

  test.each([
    ['whose map is no list of numbers', ['GNU.sparse.map=x', 'GNU.sparse.size=9']],
    ['whose regions overlap', ['GNU.sparse.map=0,400,300,200', 'GNU.sparse.size=1000']],
    ['whose regions lie behind its end', ['GNU.sparse.map=600,600', 'GNU.sparse.size=1000']],
    ['whose regions are more than what is stored', ['GNU.sparse.map=0,601', 'GNU.sparse.size=1000']],
    ['without a size', ['GNU.sparse.map=0,600']],
    ['of a terabyte', ['GNU.sparse.map=0,600', 'GNU.sparse.size=1000000000000']],
    ['whose map is not whole', ['GNU.sparse.major=1', 'GNU.sparse.realsize=1000']],
  ])('with a sparse file %s is refused before it is given to anybody', (_, records) => {
    const header = paxHeader(records.map(paxRecord).join(''));
    expect(() => read(Buffer.concat([header, file, content, tarEnd]))).toThrow(
      expect.objectContaining({ code: 'ARCHIVE_INVALID' }),
    );
  });

  test('never makes the parser fail in another way', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        (edits) => {
          const broken = Buffer.from(whole);
          for (const [at, byte] of edits) broken[at] = byte;
          try {
            read(broken);
          } catch (error) {
            expect(error).toMatchObject({ name: 'ArchiveFault' });
          }
        },
      ),
    );
  });
});

test.each([1, 700, 4096])('a sparse file comes with its holes as zeros, in chunks of %i bytes', (chunkSize) => {
  const map = Buffer.alloc(512);
  map.write('3\n1000\n3\n5000\n2\n6000\n0\n');
  const records = ['GNU.sparse.major=1', 'GNU.sparse.minor=0', 'GNU.sparse.name=real', 'GNU.sparse.realsize=6000'];
  const archive = Buffer.concat([
    paxHeader(records.map(paxRecord).join('')),
    tarHeader({ name: 'GNUSparseFile.1/real', type: 'file', mode: 0o600, size: 512 + 5 }),
    map,
    Buffer.from('abcde'.padEnd(512, '\0')),
    tarHeader({ name: 'next', type: 'file', mode: 0o644, size: 4 }),
    Buffer.from('next'.padEnd(512, '\0')),
    tarEnd,
  ]);
  const found = read(archive, chunkSize);
  const expected = Buffer.alloc(6000);
  expected.write('abc', 1000);
  expected.write('de', 5000);
  expect(found.map(({ name, size, content }) => [name, size, content.equals(expected)])).toEqual([
    ['real', 6000, true],
    ['next', 4, false],
  ]);
});

/** A length that counts its own two digits. */
function paxRecord(text: string): string {
  return `${text.length + 4} ${text}\n`;
}

function paxHeader(records: string): Buffer {
  // A path that needs a pax header gives one; its records are then replaced, the size and the sum with them.
  const block = tarHeader({ name: 'é', type: 'file', mode: 0, size: 0 }).subarray(0, 512);
  block.write(records.length.toString(8).padStart(11, '0'), 124);
  block.write('        ', 148);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([block, Buffer.from(records), Buffer.alloc(tarPadding(records.length))]);
}
