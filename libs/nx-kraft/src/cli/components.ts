import { dirname, join } from 'node:path';
import { existsSync } from 'node:fs';
import {
  type CatalogOptions,
  type ComponentInfo,
  type ComponentProgress,
  type ComponentRequest,
  type Lock,
  addIndex,
  describeComponent,
  fetchLocked,
  formatComponent,
  formatComponents,
  formatIndexes,
  formatPulled,
  hideCredentials,
  listComponents,
  openStore,
  parseComponentName,
  pullComponents,
  readLock,
  readUserIndexes,
  registerLock,
  removeIndex,
  updateIndexes,
} from '@nx-kraft/components';
import { lockFileName } from '../tasks/files.ts';
import { print } from './command.ts';
import { UsageFault } from './usage-fault.ts';

/** The options of `pkg` that turn to components. */
export const componentOptions = {
  core: { type: 'boolean', short: 'C', summary: 'components: Unikraft itself' },
  libs: { type: 'boolean', short: 'L', summary: 'components: libraries' },
  apps: { type: 'boolean', summary: 'components: applications' },
} as const;

export interface ComponentValues {
  readonly core?: boolean | undefined;
  readonly libs?: boolean | undefined;
  readonly apps?: boolean | undefined;
  readonly locked?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** Whether a `pkg` command is about components and not about images. */
export function isAboutComponents(values: ComponentValues, words: readonly (string | undefined)[]): boolean {
  return typesOf(values).length > 0 || values.locked === true || words.some((word = '') => isComponentName(word));
}

/** Does with components what `pkg ls`, `info`, `pull` and so on do with images. */
export async function runComponentAction(
  action: keyof typeof actions,
  values: ComponentValues,
  words: readonly (string | undefined)[],
): Promise<number> {
  const { data, text, isPartial = false } = await actions[action]({ words, values, options: await catalogOptions() });
  print(values, data, () => text);
  return isPartial ? 1 : 0;
}

/** The components that the indexes have of the types that were asked for, as data and as a table. */
export async function listedComponents(
  values: ComponentValues,
  pattern = '',
): Promise<{ readonly data: readonly ComponentInfo[]; readonly text: string }> {
  const types = typesOf(values);
  const all = await listComponents(await catalogOptions());
  const data = all.filter(({ type, name }) => types.includes(type) && matches(name, pattern));
  return { data, text: formatComponents(data) };
}

async function catalogOptions(): Promise<Call['options']> {
  const onProgress = ({ kind, message }: ComponentProgress): void => {
    if (kind !== 'unlocked') process.stderr.write(`${message}\n`);
  };
  return { store: openStore(), indexes: await readUserIndexes(), onProgress };
}

/** `lib/musl` is a component; `team/lib/musl`, `lib` and `unikraft.org/nginx` are images. */
function isComponentName(word: string): boolean {
  return (
    /^((core|lib|app)\/[^/]+|unikraft([:@].+)?)$/.test(word.replace(/@.*/, '')) || /^(core|lib|app)\/[^/]+@/.test(word)
  );
}

/** The types that the options ask for, as indexes call them. */
function typesOf({ core, libs, apps }: ComponentValues): readonly string[] {
  return [...(core === true ? ['core'] : []), ...(libs === true ? ['lib'] : []), ...(apps === true ? ['app'] : [])];
}

interface Call {
  readonly words: readonly (string | undefined)[];
  readonly values: ComponentValues;
  readonly options: CatalogOptions & { readonly indexes: readonly string[] };
}

interface Answer {
  readonly data: unknown;
  readonly text: string;
  /** Whether some of what was asked for could not be done. */
  readonly isPartial?: boolean;
}

const actions = {
  info: async ({ words, values, options }: Call): Promise<Answer> => {
    const data = await describeComponent(requestOf(words[0], values, 'info'), options);
    return { data, text: formatComponent(data) };
  },
  pull: async ({ words, values, options }: Call): Promise<Answer> => {
    const { lock, file } = await findLock();
    if (lock !== undefined) await registerLock(options.store, file);
    if (values.locked === true) {
      if (lock === undefined) throw new UsageFault(`there is no ${lockFileName} here or above`);
      const data = await fetchLocked(lock, options);
      return { data, text: formatPulled(data) };
    }
    const requests = (words.length === 0 ? [undefined] : words).map((word) => requestOf(word, values, 'pull'));
    const data = await pullComponents(requests, { ...options, lock, baseDirectory: process.cwd() });
    return { data, text: formatPulled(data) };
  },
  update: async ({ options }: Call): Promise<Answer> => {
    const data = await updateIndexes(options);
    return { data, text: formatIndexes(data), isPartial: data.some(({ problem }) => problem !== undefined) };
  },
  source: async ({ words: [index], options }: Call): Promise<Answer> => {
    if (index !== undefined) await addIndex(index, options);
    return listIndexes();
  },
  unsource: async ({ words: [index] }: Call): Promise<Answer> => {
    if (index !== undefined) await removeIndex(index);
    return listIndexes();
  },
} satisfies Readonly<Record<string, (call: Call) => Promise<Answer>>>;

/** `*` stands for anything; without one a part of the name is enough. */
function matches(name: string, pattern: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[^\w]/g, String.raw`\$&`));
  return new RegExp(parts.length === 1 ? parts.join('') : `^${parts.join('.*')}$`).test(name);
}

/** `musl` with `--libs` is `lib/musl`. */
function requestOf(word: string | undefined, values: ComponentValues, action: string): ComponentRequest {
  if (word === undefined) throw new UsageFault(`${action} needs a name`);
  const [type] = typesOf(values);
  return parseComponentName(type === undefined || isComponentName(word) ? word : `${type}/${word}`);
}

/** The lock of the workspace around the current folder. */
async function findLock(): Promise<{ readonly lock: Lock | undefined; readonly file: string }> {
  let folder = process.cwd();
  while (!existsSync(join(folder, lockFileName)) && dirname(folder) !== folder) folder = dirname(folder);
  const file = join(folder, lockFileName);
  return { lock: await readLock(file), file };
}

async function listIndexes(): Promise<Answer> {
  const data = (await readUserIndexes()).map(hideCredentials);
  return { data, text: data.map((index) => `${index}\n`).join('') };
}
