import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { hasErrorCode } from '@nx-kraft/base';
import { diagnose, type Diagnostic, type DiagnosticCode } from './diagnostics.ts';
import { kraftfilesOfFolder } from './folder.ts';
import { formatDiagnostics, type DiagnosticsFormat } from './format.ts';
import { loadKraftfile } from './load.ts';
import { isKraftfile, isKraftfileName } from './names.ts';
import { SourceText } from './source-text.ts';

export interface LintOptions {
  readonly format?: DiagnosticsFormat;
  /** Variables for `${NAME}` in files before v0.7 (none by default). */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface LintResult {
  /** What to print, ending with a newline unless there is nothing to say. */
  readonly report: string;
  readonly diagnostics: readonly Diagnostic[];
  /** How many Kraftfiles were looked at. */
  readonly files: number;
  /** 1 when there is an error, 0 with warnings alone. */
  readonly exitCode: 0 | 1;
}

/**
 * Checks Kraftfiles: each path that is a file, and all Kraftfiles below each path that is a folder (but not in
 * `node_modules` and hidden folders). Paths are relative to the current folder and stay so in what is reported.
 */
export async function lintPaths(paths: readonly string[], options: LintOptions = {}): Promise<LintResult> {
  const diagnostics: Diagnostic[] = [];
  const seen = new Set<string>();
  for (const path of paths) {
    const found = (await isFolder(path))
      ? await findKraftfiles(path, options.env)
      : [{ path, diagnostics: (await loadKraftfile(path, options.env)).diagnostics }];
    for (const file of found) {
      if (seen.has(resolve(file.path))) continue;
      seen.add(resolve(file.path));
      diagnostics.push(...file.diagnostics);
    }
    if (found.length === 0) diagnostics.push(aboutFile('error', 'UNREADABLE', path, 'There is no Kraftfile in here'));
  }
  return {
    report: reportOf(diagnostics, seen.size, options.format ?? 'text'),
    diagnostics,
    files: seen.size,
    exitCode: diagnostics.some(({ severity }) => severity === 'error') ? 1 : 0,
  };
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return false;
    throw error;
  }
}

interface Found {
  readonly path: string;
  readonly diagnostics: readonly Diagnostic[];
}

async function findKraftfiles(folder: string, env: LintOptions['env']): Promise<readonly Found[]> {
  const entries = await readFolder(folder);
  const here = new Map<string, Found>();
  for (const { name } of entries.filter((entry) => !entry.isDirectory() && isKraftfileName(entry.name))) {
    const path = join(folder, name);
    const { text, diagnostics } = await loadKraftfile(path, env);
    // What has the name may still be something else, such as the settings of another KRaft.
    if (text === undefined || isMeant(name, text)) here.set(name, { path, diagnostics });
  }
  const { default: first, ignored } = kraftfilesOfFolder([...here.keys()]);
  for (const name of ignored) {
    const path = join(folder, name);
    const message = `kraft refuses a folder with both ${first} and ${name}; only ${first} is read`;
    here.set(name, { path, diagnostics: [aboutFile('warning', 'SEVERAL_DEFAULT_FILES', path, message)] });
  }
  const below: Found[] = [];
  for (const entry of entries) {
    if (!entry.isDirectory() || entry.name === 'node_modules' || entry.name.startsWith('.')) continue;
    below.push(...(await findKraftfiles(join(folder, entry.name), env)));
  }
  return [...here.values(), ...below];
}

async function readFolder(folder: string): Promise<readonly Dirent[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'EACCES')) return [];
    throw error;
  }
}

/** Only a file called Kraftfile is one whatever it holds, so that one that is empty or lacks all keys is told. */
function isMeant(name: string, text: string): boolean {
  return name === 'Kraftfile' || isKraftfile(text);
}

function aboutFile(severity: Diagnostic['severity'], code: DiagnosticCode, file: string, message: string): Diagnostic {
  return diagnose(new SourceText(''), file, severity, code, [0, 0], message);
}

function reportOf(diagnostics: readonly Diagnostic[], files: number, format: DiagnosticsFormat): string {
  const report = formatDiagnostics(diagnostics, format);
  if (format !== 'text') return report;
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  const warnings = diagnostics.length - errors;
  return `${report}${plural(files, 'Kraftfile')}: ${plural(errors, 'error')}, ${plural(warnings, 'warning')}\n`;
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
