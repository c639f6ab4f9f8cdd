/** What is read of a JSON Schema here. */
export interface Schema {
  readonly title?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly description?: string;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  /** Whether it is for programs only. */
  readonly hidden?: boolean;
}

/** The properties of a schema as a Markdown table; those of nested objects have a path as their name. */
export function schemaTable(schema: Schema): string {
  const rows = rowsOf(schema, '');
  if (rows.length === 0) return 'It has no options.';
  return ['| name | values | default | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

function rowsOf({ properties = {}, required = [] }: Schema, prefix: string): readonly string[] {
  return Object.entries(properties).flatMap(([name, property]) => {
    if (name === '$schema' || property.hidden === true) return [];
    const path = `${prefix}${name}`;
    const must = required.includes(name) && property.default === undefined ? 'required' : defaultOf(property);
    const cells = [`\`${path}\``, typeOf(property), must, property.description ?? ''];
    const nested = property.items === undefined ? property : property.items;
    const below = rowsOf(nested, `${path}${property.items === undefined ? '' : '[]'}.`);
    return [`| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`, ...below];
  });
}

function defaultOf({ default: value }: Schema): string {
  const isNothing = value === undefined || (typeof value === 'object' && Object.keys(value ?? {}).length === 0);
  return isNothing ? '' : `\`${JSON.stringify(value)}\``;
}

function typeOf(schema: Schema): string {
  const { title, type, enum: words, items, additionalProperties, anyOf, oneOf = anyOf } = schema;
  if (title !== undefined) return title.replace(/\{.*\}/, (code) => `\`${code}\``);
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (words !== undefined) return words.map((word) => `\`${String(word)}\``).join(', ');
  if (oneOf !== undefined) return [...new Set(oneOf.map(typeOf))].join(', ');
  if (items !== undefined) return `list of ${typeOf(items)}`;
  if (typeof additionalProperties === 'object') return `names with ${typeOf(additionalProperties)}`;
  return type ?? 'any';
}
