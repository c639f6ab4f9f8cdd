import fc from 'fast-check';
import { type DirectoryNode, emptyDirectory, type TreeNode } from '../src/index.ts';

/** Any name that a directory may hold: bytes without zero and slash, also such that are no UTF-8. */
const byteName = fc
  .oneof(
    { weight: 4, arbitrary: fc.stringMatching(/^[a-zA-Z0-9._ -]{1,12}$/) },
    { weight: 1, arbitrary: fc.constantFrom('TRAILER!!!', 'C:', '\\x', '-rf', '~') },
    { weight: 1, arbitrary: fc.string({ minLength: 1, maxLength: 8, unit: 'grapheme' }) },
    { weight: 1, arbitrary: fc.string({ minLength: 100, maxLength: 200, unit: fc.constantFrom('x', 'é') }) },
  )
  .map((text) => Buffer.from(text, 'utf8').toString('latin1'))
  .filter((name) => !/[/\0]/.test(name) && name !== '.' && name !== '..' && name.length <= 255);

const nonText = fc
  .uint8Array({ minLength: 1, maxLength: 12 })
  .map((bytes) => Buffer.from(bytes).toString('latin1'))
  .filter((name) => !/[/\0]/.test(name) && name !== '.' && name !== '..');

const mode = fc.oneof(fc.constantFrom(0o644, 0o755, 0o600, 0o4755, 0o1777), fc.integer({ min: 0, max: 0o7777 }));

function meta(mode: number) {
  return { mode, uid: 0, gid: 0 };
}

const nodes = (name: fc.Arbitrary<string>) =>
  fc.letrec<{ node: TreeNode }>((tie) => ({
    node: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.record({ bytes: fc.uint8Array({ maxLength: 40 }), mode }).map(({ bytes, mode }): TreeNode => ({
        kind: 'file',
        meta: meta(mode),
        size: bytes.length,
        content: { bytes },
      })),
      fc
        .oneof(byteName, fc.constantFrom('/etc/passwd', '../../up', '/'))
        .map((target): TreeNode => ({ kind: 'symlink', meta: meta(0o777), target })),
      fc
        .record({ mode, children: fc.dictionary(name, tie('node'), { maxKeys: 5 }) })
        .map(({ mode, children }): TreeNode => ({
          kind: 'directory',
          meta: meta(mode),
          children: new Map(Object.entries(children)),
        })),
    ),
  }));

/** Generated trees; `text` keeps names to valid UTF-8, for readers that need it. */
export function trees({ text = false }: { text?: boolean } = {}): fc.Arbitrary<DirectoryNode> {
  const name = text ? byteName : fc.oneof(byteName, nonText);
  return fc.dictionary(name, nodes(name).node, { maxKeys: 6 }).map((children) => {
    const root = emptyDirectory();
    for (const [key, value] of Object.entries(children)) root.children.set(key, value);
    return root;
  });
}

export interface Flat {
  readonly name: string;
  readonly node: TreeNode;
}

/** All nodes below the root, in any stable order. */
export function flatten(root: DirectoryNode, prefix = ''): Flat[] {
  return [...root.children].flatMap(([name, node]) => [
    { name: prefix + name, node },
    ...(node.kind === 'directory' ? flatten(node, `${prefix}${name}/`) : []),
  ]);
}

export function bytesOf(node: TreeNode): Buffer {
  if (node.kind === 'symlink') return Buffer.from(node.target, 'latin1');
  if (node.kind === 'file' && 'bytes' in node.content) return Buffer.from(node.content.bytes);
  return Buffer.alloc(0);
}
