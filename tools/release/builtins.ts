import type { Plugin } from 'rolldown';
import { parseAst } from 'rolldown/parseAst';

/**
 * Takes Node's own modules from `process.getBuiltinModule`. An import of one, as a module of ECMAScript, makes Node load all
 * that it could ever export: `node:fs` brings streams and readline, `node:crypto` the Web's cryptography. Functions of modules
 * that Node has not loaded when a program begins load them with their first call.
 */
export const builtins: Plugin = {
  name: 'builtins',
  renderChunk(code) {
    const parts: string[] = [];
    let end = 0;
    for (const statement of parseAst(code).body) {
      if (statement.type !== 'ImportDeclaration' || !statement.source.value.startsWith('node:')) continue;
      const names = statement.specifiers.map((specifier) => ({
        local: specifier.local.name,
        name:
          specifier.type === 'ImportSpecifier'
            ? code.slice(specifier.imported.start, specifier.imported.end)
            : undefined,
      }));
      parts.push(code.slice(end, statement.start), ...declarations(statement.source.value, names));
      end = statement.end;
    }
    return [...parts, code.slice(end)].join('');
  },
};

/** What each process of Node has loaded before its program, so that nothing is won by waiting. */
const loadedAtStart: ReadonlySet<string> = new Set([
  'node:buffer',
  'node:events',
  'node:fs',
  'node:path',
  'node:process',
  'node:timers',
  'node:url',
]);

interface Imported {
  readonly local: string;
  /** Undefined for the module itself. */
  readonly name: string | undefined;
}

function declarations(module: string, imported: readonly Imported[]): string[] {
  const builtin = `process.getBuiltinModule(${JSON.stringify(module)})`;
  const lines: string[] = [];
  const atOnce: string[] = [];
  for (const { local, name } of imported) {
    if (name === undefined) lines.push(`const ${local} = ${builtin};\n`);
    else if (loadedAtStart.has(module) || !isPlainFunction(module, name)) atOnce.push(`${name}: ${local}`);
    else lines.push(`function ${local}(...args) {\n\treturn ${builtin}.${name}(...args);\n}\n`);
  }
  if (atOnce.length > 0) lines.push(`const { ${atOnce.join(', ')} } = ${builtin};\n`);
  return lines;
}

/** Not a class, and nothing of which `util.promisify` knows another form. */
function isPlainFunction(module: string, name: string): boolean {
  const value: unknown = Reflect.get(process.getBuiltinModule(module) ?? {}, name);
  return typeof value === 'function' && /^[a-z]/.test(name) && Object.getOwnPropertySymbols(value).length === 0;
}
