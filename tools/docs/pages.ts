import { readFile, readdir } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../..');

/** A page that people read. */
export interface Page {
  /** Relative to the root, such as `docs/recipes.md`. */
  readonly path: string;
  readonly text: string;
}

/** The README and all pages of docs, in the order in which a newcomer reads them. */
export async function readPages(): Promise<readonly Page[]> {
  const found = (await readdir(join(root, 'docs'), { recursive: true })).map((name) => `docs/${name}`);
  const first = ['docs/getting-started.md', 'README.md', 'docs/kraftfile.md', 'docs/caching.md', 'docs/recipes.md'];
  const others = found.filter((path) => path.endsWith('.md') && !first.includes(path)).toSorted();
  return Promise.all(
    [...first, ...others].map(async (path) => ({ path, text: await readFile(join(root, path), 'utf8') })),
  );
}

/** The text of the fenced blocks of a language, in their order. */
export function blocksOf({ text }: Page, language: string): readonly string[] {
  return [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].flatMap(([, name, block = '']) =>
    name === language ? [block] : [],
  );
}

/** The lines of a page's `sh` blocks that are commands, without their comments. */
export function commandsOf(page: Page): readonly string[] {
  const lines = blocksOf(page, 'sh').flatMap((block) => block.split('\n'));
  return lines.map((line) => line.replace(/(^|\s)#\s.*$/, '').trim()).filter((line) => line !== '');
}

/** What stands between backticks in the running text of a page. */
export function codeOf({ text }: Page): readonly string[] {
  const running = text.replaceAll(/^```.*?^```$/gms, '');
  return [...running.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code.replaceAll(String.raw`\|`, '|'));
}

/** The relative links of a page, as paths relative to the root. */
export function linksOf({ path, text }: Page): readonly string[] {
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target.replace(/#.*/, ''));
  const local = targets.filter((target) => target !== '' && !/^\w+:/.test(target));
  return local.map((target) => relative(root, resolve(root, path, '..', target)));
}
