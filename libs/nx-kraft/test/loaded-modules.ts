import { run } from '@nx-kraft/base';

const hooks = `
  import { registerHooks } from 'node:module';
  registerHooks({ load: (url, context, next) => (console.log(url), next(url, context)) });`;

/** The URLs of all files that Node loads as modules when it is called so. */
export async function loadedModules(args: readonly string[], options: { readonly cwd?: string } = {}) {
  const loading = ['--import', `data:text/javascript,${encodeURIComponent(hooks)}`];
  const output = await run(process.execPath, [...loading, ...args], options);
  return output.split('\n').filter((line) => line.startsWith('file:'));
}

/** Those that a module's text loads. */
export function loadedByScript(script: string): Promise<readonly string[]> {
  return loadedModules(['--input-type=module', '--eval', script]);
}
