import type { Diagnostic } from './diagnostics.ts';
import { loadKraftfile } from './load.ts';

export interface InspectResult {
  /** The normalised model as JSON with a newline at its end; empty when the file has none. */
  readonly report: string;
  readonly diagnostics: readonly Diagnostic[];
  /** 1 when the file has an error, 0 with warnings alone. */
  readonly exitCode: 0 | 1;
}

/** Reads one Kraftfile and gives its normalised model as JSON, so that other tools can use the reader without Nx. */
export async function inspectKraftfile(
  path: string,
  env?: Readonly<Record<string, string | undefined>>,
): Promise<InspectResult> {
  const { kraftfile, diagnostics } = await loadKraftfile(path, env);
  return {
    report: kraftfile === undefined ? '' : `${JSON.stringify(kraftfile, undefined, 2)}\n`,
    diagnostics,
    exitCode: diagnostics.some(({ severity }) => severity === 'error') ? 1 : 0,
  };
}
