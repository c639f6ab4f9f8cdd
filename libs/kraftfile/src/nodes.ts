import type { Alias, Node, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import type { Span } from './diagnostics.ts';
import { loadedYaml } from './yaml.ts';

/** A scalar in simple YAML, with the fields that the parser's scalars have, too. */
export interface SimpleScalar {
  readonly kind: 'scalar';
  readonly value: unknown;
  readonly source: string;
  readonly type: 'PLAIN' | 'QUOTE_DOUBLE' | 'QUOTE_SINGLE';
  readonly range: Span;
}

export interface SimpleMap {
  readonly kind: 'map';
  /** The value is null where there is none. */
  readonly items: readonly { readonly key: SimpleScalar; readonly value: SimpleNode | null }[];
  readonly range: Span;
}

export interface SimpleList {
  readonly kind: 'list';
  readonly items: readonly SimpleNode[];
  readonly range: Span;
}

export type SimpleNode = SimpleScalar | SimpleMap | SimpleList;

/** What the parser makes, or the reader of simple YAML. */
export type AnyNode = Node | SimpleNode;
export type AnyScalar = Scalar | SimpleScalar;
export type AnyMap = YAMLMap | SimpleMap;
export type AnyList = YAMLSeq | SimpleList;

// While the parser's package is not loaded, there are no nodes of it.

export function isScalar(node: AnyNode | null | undefined): node is AnyScalar {
  return kindOf(node) === 'scalar' || loadedYaml()?.isScalar(node) === true;
}

export function isMap(node: AnyNode | null | undefined): node is AnyMap {
  return kindOf(node) === 'map' || loadedYaml()?.isMap(node) === true;
}

export function isList(node: AnyNode | null | undefined): node is AnyList {
  return kindOf(node) === 'list' || loadedYaml()?.isSeq(node) === true;
}

export function isAlias(node: AnyNode | null | undefined): node is Alias {
  return loadedYaml()?.isAlias(node) === true;
}

function kindOf(node: AnyNode | null | undefined): SimpleNode['kind'] | undefined {
  return node !== null && node !== undefined && 'kind' in node ? node.kind : undefined;
}
