import { resolve } from 'node:path';
import { ComponentFault } from './fault.ts';
import type { ComponentRequest } from './request.ts';
import { isRemoteSource } from './url.ts';

/** KConfig symbols and values, the last one winning. */
export type Kconfig = Readonly<Record<string, string>>;

/** The core, a library or a template as a Kraftfile names it. */
export interface TemplatePart extends Omit<ComponentRequest, 'type'> {
  readonly kconfig: Kconfig;
}

/** A platform and architecture to build for. */
export interface TemplateTarget {
  readonly id: string;
  readonly name: string;
  readonly platform: string;
  readonly architecture: string;
  readonly kconfig: Kconfig;
}

/** What templates have to do with in a Kraftfile. */
export interface TemplatedKraftfile {
  readonly name: string;
  readonly unikraft?: TemplatePart;
  readonly libraries: readonly TemplatePart[];
  readonly template?: TemplatePart;
  readonly kconfig: Kconfig;
  readonly targets: readonly TemplateTarget[];
}

/**
 * Merges what a template's Kraftfile says about building into a project's (Kraftfile v0.6, `template`). The project wins
 * everywhere:
 * - `unikraft`, and each library by its name: source and version are the project's if it gives either of them, else
 *   both are the template's; options are merged, the project's values winning. The template's libraries come first.
 * - `kconfig` at the template's top goes below what the project says within its own `template` element, and so, in the
 *   order in which kernels are configured, below everything else.
 * - `targets` are the project's when it has any, else the template's, whose own name is replaced by the project's. For a
 *   target that both have (platform and architecture), the template's options go below the project's.
 * - All else (command, environment, root filesystem, volumes, labels, …) is about the template as a program of its own,
 *   and stays the project's.
 *
 * @param folder  the template's folder, absolute: local folders that it names are relative to it
 */
export function mergeTemplate<K extends TemplatedKraftfile>(
  project: K,
  template: TemplatedKraftfile,
  folder: string,
): K {
  const unikraft = mergePart(project.unikraft, template.unikraft, folder);
  const own = new Map(project.libraries.map((library) => [library.name, library]));
  const inherited = template.libraries.map((library) => mergePart(own.get(library.name), library, folder) ?? library);
  const names = new Set(inherited.map(({ name }) => name));
  return {
    ...project,
    ...(unikraft === undefined ? {} : { unikraft }),
    libraries: [...inherited, ...project.libraries.filter(({ name }) => !names.has(name))],
    ...(project.template === undefined
      ? {}
      : { template: { ...project.template, kconfig: { ...template.kconfig, ...project.template.kconfig } } }),
    targets: mergeTargets(project, template),
  };
}

function mergePart(
  own: TemplatePart | undefined,
  inherited: TemplatePart | undefined,
  folder: string,
): TemplatePart | undefined {
  if (inherited === undefined) return own;
  const placed = { ...inherited, ...(isPath(inherited.source) ? { source: resolve(folder, inherited.source) } : {}) };
  if (own === undefined) return placed;
  const kconfig = { ...inherited.kconfig, ...own.kconfig };
  return own.source === undefined && own.version === undefined ? { ...placed, kconfig } : { ...own, kconfig };
}

function isPath(source: string | undefined): source is string {
  return source !== undefined && !isRemoteSource(source);
}

function mergeTargets(project: TemplatedKraftfile, template: TemplatedKraftfile): readonly TemplateTarget[] {
  if (project.targets.length === 0) {
    return template.targets.map((target) =>
      target.name === template.name ? { ...target, name: project.name } : target,
    );
  }
  return project.targets.map((target) => {
    const same = template.targets.find(
      ({ platform, architecture }) => platform === target.platform && architecture === target.architecture,
    );
    return same === undefined ? target : { ...target, kconfig: { ...same.kconfig, ...target.kconfig } };
  });
}

/** A project with all that its templates say, and the folder that make takes for the application. */
export interface Templated<K> {
  readonly kraftfile: K;
  /** The folder of the innermost template; undefined without any. */
  readonly application: string | undefined;
}

/**
 * Follows a project's template, and the template's own, and merges them, the innermost first.
 *
 * @param fetch  gives the folder of a template; the second argument is what its relative source is relative to
 * @param read  reads the Kraftfile of a folder; undefined when it has none
 * @throws ComponentFault COMPONENT_NOT_FOUND for a template without a Kraftfile, COMPONENT_BAD_NAME for one that uses
 *   itself
 */
export async function applyTemplates<K extends TemplatedKraftfile>(
  project: K,
  baseDirectory: string,
  fetch: (template: ComponentRequest, baseDirectory: string) => Promise<string>,
  read: (folder: string) => Promise<TemplatedKraftfile | undefined>,
  outer: readonly string[] = [],
): Promise<Templated<K>> {
  if (project.template === undefined) return { kraftfile: project, application: undefined };
  const folder = await fetch({ type: 'template', ...project.template }, baseDirectory);
  if (outer.includes(folder)) {
    throw new ComponentFault('COMPONENT_BAD_NAME', `template ${project.template.name} uses itself`, { at: folder });
  }
  const file = await read(folder);
  if (file === undefined) {
    throw new ComponentFault('COMPONENT_NOT_FOUND', `template ${project.template.name} has no Kraftfile`, {
      at: folder,
      hint: 'A template is the repository or folder of an application with a Kraftfile.',
    });
  }
  const inner = await applyTemplates(file, folder, fetch, read, [...outer, folder]);
  return {
    kraftfile: mergeTemplate(project, inner.kraftfile, folder),
    application: inner.application ?? folder,
  };
}
