import { expect, test } from 'vitest';
import { applyTemplates, mergeTemplate, type TemplatedKraftfile } from './index.ts';

const target = (platform: string, name: string, kconfig = {}) => ({
  id: `${platform}-x86_64`,
  name,
  platform,
  architecture: 'x86_64',
  kconfig,
});
const template: TemplatedKraftfile = {
  name: 'elfloader',
  unikraft: { name: 'unikraft', version: 'stable', kconfig: { A: 'template', B: 'template' } },
  libraries: [
    { name: 'lwip', version: 'stable', kconfig: { L: 'template', M: 'template' } },
    { name: 'libelf', source: './libs/libelf', kconfig: {} },
  ],
  kconfig: { K: 'template', T: 'template' },
  targets: [target('qemu', 'elfloader', { Q: 'template' }), target('fc', 'small')],
};
const project: TemplatedKraftfile & { readonly cmd: readonly string[] } = {
  name: 'app',
  cmd: ['/app'],
  template: { name: 'elfloader', version: 'staging', kconfig: { T: 'project' } },
  unikraft: { name: 'unikraft', kconfig: { B: 'project' } },
  libraries: [
    { name: 'musl', version: '1', kconfig: {} },
    { name: 'lwip', source: 'https://example.com/lwip.git', kconfig: { M: 'project' } },
  ],
  kconfig: { K: 'project' },
  targets: [],
};

test('the project wins, options and libraries are merged, the rest stays the project’s', () => {
  expect(mergeTemplate(project, template, '/store/elfloader')).toEqual({
    name: 'app',
    cmd: ['/app'],
    template: { name: 'elfloader', version: 'staging', kconfig: { K: 'template', T: 'project' } },
    unikraft: { name: 'unikraft', version: 'stable', kconfig: { A: 'template', B: 'project' } },
    libraries: [
      { name: 'lwip', source: 'https://example.com/lwip.git', kconfig: { L: 'template', M: 'project' } },
      { name: 'libelf', source: '/store/elfloader/libs/libelf', kconfig: {} },
      { name: 'musl', version: '1', kconfig: {} },
    ],
    kconfig: { K: 'project' },
    targets: [target('qemu', 'app', { Q: 'template' }), target('fc', 'small')],
  });
});

test('targets of the project replace those of the template and keep the options of the same target', () => {
  const targets = [target('qemu', 'app', { P: 'project' }), target('xen', 'app')];
  expect(mergeTemplate({ ...project, targets }, template, '/t').targets).toEqual([
    target('qemu', 'app', { Q: 'template', P: 'project' }),
    target('xen', 'app'),
  ]);
});

const bare = (name: string, template?: string): TemplatedKraftfile => ({
  name,
  libraries: [{ name, kconfig: {} }],
  kconfig: {},
  targets: [],
  ...(template === undefined ? {} : { template: { name: template, source: `../${template}`, kconfig: {} } }),
});
const files: Readonly<Record<string, TemplatedKraftfile>> = {
  '/outer': bare('outer', 'inner'),
  '/inner': bare('inner'),
  '/loop': bare('loop', 'loop'),
};
const fetch = (request: { readonly name: string }) => Promise.resolve(`/${request.name}`);
const read = (folder: string) => Promise.resolve(files[folder]);

test('templates of templates are followed, and the innermost is the application', async () => {
  const { kraftfile, application } = await applyTemplates(bare('app', 'outer'), '/app', fetch, read);
  expect(kraftfile.libraries.map(({ name }) => name)).toEqual(['inner', 'outer', 'app']);
  expect(application).toBe('/inner');
  expect((await applyTemplates(bare('app'), '/app', fetch, read)).application).toBeUndefined();
});

test('a template that uses itself or has no Kraftfile is told', async () => {
  const apply = (name: string) => applyTemplates(bare('app', name), '/app', fetch, read);
  await expect(apply('loop')).rejects.toMatchObject({ code: 'COMPONENT_BAD_NAME', at: '/loop' });
  await expect(apply('none')).rejects.toMatchObject({ code: 'COMPONENT_NOT_FOUND', at: '/none' });
});
