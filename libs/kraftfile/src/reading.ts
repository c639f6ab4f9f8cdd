import type { DiagnosticCode, DiagnosticDetails, Span } from './diagnostics.ts';
import { interpolate } from './interpolate.ts';
import type { ModelPath, Position } from './model.ts';
import { type AnyList, type AnyMap, type AnyNode, type AnyScalar, isList, isMap, isScalar } from './nodes.ts';
import type { Problems } from './problems.ts';
import { scalarText, type Entry, type Tree, type Value } from './tree.ts';

/** The two families of rules: kraft's own reader (v0.4 to v0.6) and the one of v0.7. */
export type Family = 'legacy' | 'v0.7';

/** What is known and found while one Kraftfile is read. */
export class Reading {
  readonly tree: Tree;
  readonly family: Family;
  readonly problems: Problems;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #places = new Map<string, Map<string | number, number>>();

  constructor(tree: Tree, family: Family, env: Readonly<Record<string, string | undefined>>, problems: Problems) {
    this.tree = tree;
    this.family = family;
    this.#env = env;
    this.problems = problems;
  }

  error(code: DiagnosticCode, at: AnyNode | Span, message: string, details?: DiagnosticDetails): void {
    this.problems.add('error', code, spanOf(at), message, details);
  }

  warn(code: DiagnosticCode, at: AnyNode | Span, message: string, details?: DiagnosticDetails): void {
    this.problems.add('warning', code, spanOf(at), message, details);
  }

  /** Remembers where a part of the model comes from. */
  place(path: ModelPath, at: AnyNode): void {
    const last = path.at(-1);
    if (at.range && last !== undefined) this.placesIn(path.slice(0, -1)).set(last, at.range[0]);
  }

  /** Offsets of the parts of one part of the model, to be added to. */
  placesIn(path: ModelPath): Map<string | number, number> {
    const key = path.join('\0');
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    const places = new Map<string | number, number>();
    this.#places.set(key, places);
    return places;
  }

  /** Where a part of the model stands in the text, as an offset. */
  offsetOf(path: ModelPath): number | undefined {
    const last = path.at(-1);
    return last === undefined ? undefined : this.#places.get(path.slice(0, -1).join('\0'))?.get(last);
  }

  /** The place of a part of the model, or of the nearest part around it. */
  positionOf(path: ModelPath): Position {
    for (let length = path.length; length > 0; length--) {
      const offset = this.offsetOf(path.slice(0, length));
      if (offset !== undefined) return this.problems.source.positionAt(offset);
    }
    return { line: 1, column: 1 };
  }

  map(value: Value | undefined): AnyMap | undefined {
    return isMap(value) ? value : undefined;
  }

  list(value: Value | undefined): AnyList | undefined {
    return isList(value) ? value : undefined;
  }

  scalar(value: Value | undefined): AnyScalar | undefined {
    return isScalar(value) ? value : undefined;
  }

  entries(value: Value | undefined): readonly Entry[] {
    const map = this.map(value);
    return map === undefined ? [] : this.tree.entries(map);
  }

  items(value: Value | undefined): readonly (Value | undefined)[] {
    const list = this.list(value);
    return list === undefined ? [] : this.tree.items(list);
  }

  /**
   * The text of a scalar: numbers as they are written, strings with their variables put in where the family does that.
   * Undefined for anything else.
   */
  text(value: Value | undefined): string | undefined {
    const scalar = this.scalar(value);
    if (scalar === undefined) return undefined;
    const text = scalarText(scalar);
    if (this.family !== 'legacy' || typeof scalar.value !== 'string' || !text.includes('$')) return text;
    const result = interpolate(text, this.#env);
    for (const problem of result.problems) {
      if (problem.kind === 'unset') {
        this.warn('VARIABLE_UNSET', scalar, `${problem.message}, so that nothing is put in its place`, {
          hint: `Write $$ for a dollar sign, or give a default: \${${problem.variable}:-value}.`,
        });
      } else {
        this.error(problem.kind === 'form' ? 'VARIABLE_FORM' : 'VARIABLE_UNSET', scalar, problem.message, {
          hint: problem.kind === 'form' ? 'Write $$ for a dollar sign.' : `Set ${problem.variable} in the environment.`,
        });
      }
    }
    return result.text;
  }

  /** A plain scalar that YAML 1.1, which kraft reads, takes for a boolean: `y`, `off`, `True`. */
  bareBoolean(value: Value | undefined): boolean | undefined {
    const scalar = this.scalar(value);
    if (scalar?.type !== 'PLAIN') return undefined;
    return bareBooleans.get(scalarText(scalar));
  }
}

const bareBooleans: ReadonlyMap<string, boolean> = new Map([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((word) => [word, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map((word) => [word, false] as const),
]);

function spanOf(at: AnyNode | Span): Span {
  return 'length' in at ? at : (at.range ?? [0, 0]);
}
