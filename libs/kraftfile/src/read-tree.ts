import { diagnose, type Diagnostic, type DiagnosticCode, type Span } from './diagnostics.ts';
import type { SourceText } from './source-text.ts';
import { Tree, type TreeLimit } from './tree.ts';
import { yaml } from './yaml.ts';

/** The largest text that is read, in UTF-16 code units: the largest real Kraftfile known has 6 kB. */
const largest = 256 * 1024;

/**
 * Reads YAML into a tree. Texts that are too large, nest too deep or unfold into too much are refused before they cost
 * anything. Undefined, with diagnostics, when the text is no usable YAML.
 */
export function readTree(source: SourceText, file: string, diagnostics: Diagnostic[]): Tree | undefined {
  const { text } = source;
  const fail = (code: DiagnosticCode, span: Span, message: string, hint?: string): undefined => {
    const details = hint === undefined ? {} : { hint };
    diagnostics.push(diagnose(source, file, 'error', code, span, message, details));
  };
  if (text.length > largest) {
    return fail('TOO_LARGE', [0, 0], `A Kraftfile of ${text.length} characters is not read; at most ${largest} are`);
  }
  try {
    const documents = yaml().parseAllDocuments(text, {
      // Repeated keys are told as diagnostics, with the last one winning as in kraft.
      uniqueKeys: false,
      version: '1.2',
      prettyErrors: false,
      logLevel: 'silent',
    });
    const [document, second] = 'empty' in documents ? [] : documents;
    if (document === undefined) return fail('EMPTY', [0, 0], 'The file is empty', emptyHint);
    for (const error of document.errors) {
      const isTab = error.code === 'TAB_AS_INDENT';
      const message = isTab ? 'A tab is no indentation in YAML' : firstLine(error.message);
      const details = isTab ? { hint: 'Write spaces.' } : {};
      diagnostics.push(diagnose(source, file, 'error', 'YAML_SYNTAX', error.pos, message, details));
    }
    if (document.errors.length > 0) return undefined;
    for (const warning of document.warnings) {
      diagnostics.push(diagnose(source, file, 'warning', 'YAML_TAG', warning.pos, firstLine(warning.message)));
    }
    if (second !== undefined) {
      const message = 'Only the first document of the file is read';
      diagnostics.push(
        diagnose(source, file, 'warning', 'SEVERAL_DOCUMENTS', [second.range[0], second.range[0]], message),
      );
    }
    const tree = new Tree(document, text.includes('&') || text.includes('*'));
    for (const alias of tree.dangling) {
      const message = `No value is marked with &${alias.source} before this`;
      diagnostics.push(diagnose(source, file, 'error', 'YAML_SYNTAX', alias.range ?? [0, 0], message));
    }
    if (tree.dangling.length > 0) return undefined;
    if (tree.root === undefined) return fail('EMPTY', [0, 0], 'The file says nothing', emptyHint);
    if (!yaml().isMap(tree.root)) {
      return fail('NOT_A_MAPPING', tree.root.range ?? [0, 0], 'A Kraftfile is a mapping of keys such as spec and name');
    }
    return tree;
  } catch (error) {
    if (error instanceof RangeError) return fail('TOO_DEEP', [0, 0], 'The values nest too deep to be a Kraftfile');
    throw error;
  }
}

const emptyHint = 'Start with spec: v0.6, name, and unikraft or runtime.';

function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? message;
}

/** The diagnostic for a tree that unfolds into too much. */
export function limitDiagnostic(source: SourceText, file: string, limit: TreeLimit): Diagnostic {
  return limit.limit === 'depth'
    ? diagnose(source, file, 'error', 'TOO_DEEP', [0, 0], 'The values nest too deep to be a Kraftfile')
    : diagnose(source, file, 'error', 'ALIAS_EXPANSION', [0, 0], 'The aliases unfold into too much to be a Kraftfile');
}
