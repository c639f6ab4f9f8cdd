import { createRequire } from 'node:module';
import type { Plain } from './model.ts';
import type { Family } from './reading.ts';

/** What our JSON Schema uses of draft 7, but for words that only explain. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly Plain[];
  readonly const?: Plain;
  readonly pattern?: string;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly required?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
}

type Test = (value: Plain) => boolean;

const tests = new Map<Family, Test>();

/**
 * Whether a value surely fits the shape of a family. The committed schema, which is made from the shape, tells that at once,
 * while it takes longer to load zod and build the shape than to read a hundred files; only zod tells what does not fit.
 */
export function fitsSchema(family: Family, value: Plain): boolean {
  let test = tests.get(family);
  if (test === undefined) {
    const schema = createRequire(import.meta.url)('../schema/kraftfile.schema.json') as Record<'then' | 'else', Schema>;
    test = compile(family === 'v0.7' ? schema.then : schema.else);
    tests.set(family, test);
  }
  return test(value);
}

function compile(schema: Schema): Test {
  const { type, enum: words, const: word, pattern, required, anyOf, allOf = [] } = schema;
  const all: Test[] = allOf.map(compile);
  if (type !== undefined) all.push(typeTest(type));
  if (words !== undefined) all.push((value) => words.includes(value));
  if (word !== undefined) all.push((value) => value === word);
  if (pattern !== undefined) all.push(patternTest(new RegExp(pattern)));
  if (required !== undefined)
    all.push((value) => !isMapping(value) || required.every((key) => Object.hasOwn(value, key)));
  if (anyOf !== undefined) all.push(anyTest(anyOf.map(compile)));
  all.push(...contentTests(schema));
  const [first = () => true, ...others] = all;
  return others.length === 0 ? first : (value) => all.every((test) => test(value));
}

function contentTests({ items, properties, additionalProperties }: Schema): readonly Test[] {
  const found: Test[] = [];
  if (items !== undefined) {
    const test = compile(items);
    found.push((value) => !Array.isArray(value) || value.every((item) => test(item as Plain)));
  }
  if (properties !== undefined || additionalProperties !== undefined) {
    const known = new Map(Object.entries(properties ?? {}).map(([key, schema]) => [key, compile(schema)]));
    const other = compile(additionalProperties ?? {});
    const fits = (key: string, content: Plain): boolean => (known.get(key) ?? other)(content);
    found.push((value) => !isMapping(value) || Object.entries(value).every(([key, content]) => fits(key, content)));
  }
  return found;
}

function typeTest(type: string | readonly string[]): Test {
  const types = [type].flat();
  return (value) => types.includes(value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value);
}

function patternTest(pattern: RegExp): Test {
  return (value) => typeof value !== 'string' || pattern.test(value);
}

function anyTest(tests: readonly Test[]): Test {
  return (value) => tests.some((test) => test(value));
}

function isMapping(value: Plain): value is Readonly<Record<string, Plain>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
