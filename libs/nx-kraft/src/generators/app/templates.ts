import { nearestWord } from '@nx-kraft/base';
import { GeneratorFault } from '../fault.ts';

/** What a template is made of. Its files lie in `files`, in a folder of its name. */
export interface Template {
  /** The image that its programs run on, by a tag that is never moved if there is one; none where the kernel is built. */
  readonly runtime?: string;
  /** npm packages that build it, with versions that were tried together. */
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const base = 'unikraft.org/base:latest';
const node = 'unikraft.org/node:21';

export const templates = {
  c: {},
  cpp: {},
  'c-runtime': { runtime: base },
  'cpp-runtime': { runtime: base },
  rust: { runtime: base },
  go: { runtime: base },
  python: { runtime: 'unikraft.org/python:3.12' },
  node: { runtime: node },
  typescript: {
    runtime: node,
    devDependencies: { rolldown: '1.2.19', typescript: '5.9.3', '@types/node': '24.19.2' },
  },
  nginx: { runtime: 'unikraft.org/nginx:1.25' },
} as const satisfies Readonly<Record<string, Template>>;

export type TemplateName = keyof typeof templates;

/**
 * The template of a name. The schema leaves this to us: where it lists words, Nx asks with these instead of our labels.
 *
 * @throws GeneratorFault BAD_TEMPLATE
 */
export function findTemplate(name: string): Template {
  if (Object.hasOwn(templates, name)) return templates[name as TemplateName];
  const names = Object.keys(templates);
  const better = nearestWord(name, names);
  throw new GeneratorFault('BAD_TEMPLATE', `there is no template '${name}'`, {
    hint: better === undefined ? `There are: ${names.join(', ')}.` : `Did you mean ${better}?`,
  });
}
