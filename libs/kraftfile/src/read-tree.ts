import type { Document, ErrorCode, YAMLParseError } from 'yaml';
import type { DiagnosticCode, Span } from './diagnostics.ts';
import { flattenFlow } from './flatten-flow.ts';
import { isMap } from './nodes.ts';
import type { Problems } from './problems.ts';
import { Tree, type TreeLimit } from './tree.ts';
import { yaml } from './yaml.ts';

/** The largest text that is read, in UTF-16 code units: the largest real Kraftfile known has less than 6,000. */
export const largestText = 128 * 1024;
/** How many lists and mappings in one line may stand open in each other. */
const deepestFlow = 200;
/** A broken text makes the parser stumble again and again; only what it says first helps. */
const mostSyntaxErrors = 10;

/**
 * Reads YAML into a tree. Texts that are too large, nest too deep or unfold into too much are refused before they cost
 * much. Undefined, with the problem told, when the text is no usable YAML.
 */
export function readTree(text: string, problems: Problems): Tree | undefined {
  const fail = (code: DiagnosticCode, span: Span, message: string, hint?: string): undefined => {
    problems.add('error', code, span, message, hint === undefined ? {} : { hint });
  };
  if (text.length > largestText) {
    return fail(
      'TOO_LARGE',
      [0, 0],
      `A text of ${text.length} characters is no Kraftfile; at most ${largestText} are read`,
    );
  }
  if (nestsTooDeep(text)) return fail('TOO_DEEP', [0, 0], tooDeep);
  try {
    const { document, second, badIndentation } = parse(text);
    if (document === undefined) return fail('EMPTY', [0, 0], 'The file is empty', emptyHint);
    for (const error of firstErrors(document)) {
      if (error.message.includes('call stack')) return fail('TOO_DEEP', error.pos, tooDeep);
      const [message, hint] = explain(error);
      fail('YAML_SYNTAX', pastSpace(text, error.pos), message, hint);
    }
    if (document.errors.length > 0) return undefined;
    if (badIndentation !== undefined) {
      const message = 'A line between brackets is not indented, or with a tab: kraft reads that, other programs do not';
      problems.add('warning', 'YAML_FLOW', pastSpace(text, badIndentation), message, {
        hint: 'Indent it with spaces.',
      });
    }
    for (const warning of document.warnings)
      problems.add('warning', 'YAML_TAG', warning.pos, firstLine(warning.message));
    if (second !== undefined) {
      const message = 'Only the first document of the file is read';
      problems.add('warning', 'SEVERAL_DOCUMENTS', [second.range[0], second.range[0]], message);
    }
    const tree = new Tree(document.contents, /(^|[\s,[{:-])\*[^\s*]/.test(text));
    for (const alias of tree.dangling) {
      fail('YAML_SYNTAX', alias.range ?? [0, 0], `No value is marked with &${alias.source} before this`);
    }
    if (tree.dangling.length > 0) return undefined;
    if (tree.root === undefined) return fail('EMPTY', [0, 0], 'The file says nothing', emptyHint);
    if (!isMap(tree.root)) {
      return fail('NOT_A_MAPPING', tree.root.range ?? [0, 0], 'A Kraftfile is a mapping of keys such as spec and name');
    }
    return tree;
  } catch (error) {
    if (error instanceof RangeError) return fail('TOO_DEEP', [0, 0], tooDeep);
    throw error;
  }
}

interface Parsed {
  readonly document: Document.Parsed | undefined;
  /** A further document of the same text. */
  readonly second: Document.Parsed | undefined;
  /** Where a line between brackets is indented in a way that only kraft reads. */
  readonly badIndentation: Span | undefined;
}

function parse(text: string): Parsed {
  const strict = parseDocuments(text);
  const error = strict.document?.errors.find(({ code }) => code === 'BAD_INDENT' || code === 'TAB_AS_INDENT');
  if (error === undefined) return { ...strict, badIndentation: undefined };
  const lenient = parseDocuments(flattenFlow(text));
  return lenient.document?.errors.length === 0
    ? { ...lenient, badIndentation: error.pos }
    : { ...strict, badIndentation: undefined };
}

function parseDocuments(text: string): Pick<Parsed, 'document' | 'second'> {
  const documents = yaml().parseAllDocuments(text, {
    // Repeated keys are told as diagnostics, with the last one winning as in kraft.
    uniqueKeys: false,
    version: '1.2',
    prettyErrors: false,
    logLevel: 'silent',
  });
  return 'empty' in documents
    ? { document: undefined, second: undefined }
    : { document: documents[0], second: documents[1] };
}

/** What some of the parser's errors mean in a Kraftfile, and what to do. */
const explanations: Readonly<Partial<Record<ErrorCode, readonly [message: string, hint: string]>>> = {
  BAD_INDENT: ['This is not indented like what it belongs to', 'Keys of one mapping start in the same column.'],
  BLOCK_AS_IMPLICIT_KEY: ['A value cannot start another mapping in its line', 'Put a value with a colon in quotes.'],
  BAD_SCALAR_START: ['A value cannot start with this sign', 'Put it in quotes.'],
  TAB_AS_INDENT: ['A tab is no indentation in YAML', 'Write spaces.'],
};

function explain(error: YAMLParseError): readonly [message: string, hint?: string] {
  const bracket = /end with a ([\]}])$/.exec(firstLine(error.message))?.[1];
  if (bracket !== undefined) return [`A ${bracket} is missing before this`];
  return explanations[error.code] ?? [firstLine(error.message)];
}

/** A span without the white space that it starts with, as far as that is in one line. */
function pastSpace(text: string, [start, end]: Span): Span {
  let at = start;
  while (text[at] === ' ' || (text[at] === '\t' && text[at + 1] !== undefined && at + 1 < end)) at++;
  return [at, Math.max(end, at + 1)];
}

/** The errors without those that only follow from an earlier one. */
function firstErrors(document: Document.Parsed): readonly YAMLParseError[] {
  return document.errors
    .filter(({ code }, index) => index === 0 || code !== 'UNEXPECTED_TOKEN')
    .slice(0, mostSyntaxErrors);
}

/** Tells of a tree that unfolds into too much. */
export function reportLimit(problems: Problems, { limit }: TreeLimit): void {
  if (limit === 'depth') problems.add('error', 'TOO_DEEP', [0, 0], tooDeep);
  else problems.add('error', 'ALIAS_EXPANSION', [0, 0], 'The aliases unfold into too much to be a Kraftfile');
}

const tooDeep = 'The values nest too deep to be a Kraftfile';
const emptyHint = 'Start with spec: v0.6, name, and unikraft or runtime.';

/** A cheap look at what would keep the parser busy: brackets in brackets, and list marks one after the other. */
function nestsTooDeep(text: string): boolean {
  let open = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (character === 0x5b || character === 0x7b) open++;
    else if ((character === 0x5d || character === 0x7d) && open > 0) open--;
    if (open > deepestFlow) return true;
  }
  return /^[ \t]*(?:[-?:][ \t]+){64}/m.test(text);
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? message;
}
