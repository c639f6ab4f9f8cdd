// The walls of the house: a room imports only from the rooms below it (see docs/contributing.md, "The house").
import { existsSync } from 'node:fs';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** Ground floor first; each room with the rooms that it may import. */
const rooms = {
  base: [],
  kraftfile: ['base'],
  archive: ['base'],
  oci: ['base', 'archive'],
  components: ['base'],
  rootfs: ['base', 'archive', 'oci'],
  kernel: ['base'],
  machine: ['base'],
  cloud: ['base'],
  'nx-kraft': ['base', 'kraftfile', 'archive', 'oci', 'components', 'rootfs', 'kernel', 'machine', 'cloud'],
};

/** Packages that only some rooms may know; every other room must not import them. */
const reserved = {
  nx: ['nx-kraft'],
  '@nx/devkit': ['nx-kraft'],
  yaml: ['kraftfile', 'components'],
  execa: ['base'],
};

const walls = Object.entries(rooms).map(([room, below]) => {
  const forbidden = Object.keys(rooms).filter((other) => other !== room && !below.includes(other));
  const packages = Object.entries(reserved).filter(([, allowed]) => !allowed.includes(room));
  return {
    files: [`libs/${room}/**/*.ts`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            ...(forbidden.length === 0
              ? []
              : [
                  {
                    group: forbidden.flatMap((other) => [`@nx-kraft/${other}`, `@nx-kraft/${other}/*`]),
                    message: `libs/${room} may only import from: ${below.join(', ') || 'nothing'}.`,
                  },
                ]),
            { group: ['nx-kraft', 'nx-kraft/*'], message: 'Nothing imports the plugin.' },
            { group: ['**/libs/*', '**/tools/*', '**/apps/*'], message: 'Import a room by its package name.' },
            ...packages.map(([name, allowed]) => ({
              group: [name, `${name}/*`],
              message: `Only ${allowed.join(' and ')} may import ${name}.`,
            })),
          ],
        },
      ],
    },
  };
});

for (const room of Object.keys(rooms)) {
  if (!existsSync(new URL(`./libs/${room}`, import.meta.url))) throw new Error(`no room ${room}`);
}

export default defineConfig(
  {
    ignores: [
      '**/node_modules',
      '**/dist',
      '**/.nx',
      '**/.unikraft',
      '**/coverage',
      '**/tmp',
      'eslint.config.js',
      'libs/*/bin',
      'apps/**/*.js',
    ],
  },
  tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      // `import { type X }` would still load the module at run time.
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      'no-console': 'error',
      'no-empty': ['error', { allowEmptyCatch: false }],
    },
  },
  { files: ['apps/**/*.ts'], rules: { 'no-console': 'off' } },
  walls,
);
