import { asMap, finish, openFile } from './edit.ts';
import { findPair, insertEntry, replaceValue } from './edit-nodes.ts';
import { text as plainText } from './render.ts';

/**
 * Sets a label of the image. Everything else of the text stays as it is.
 *
 * @throws KraftfileFault KRAFTFILE_BROKEN or EDIT_FORM
 */
export function setLabel(text: string, label: string, value: string, fileName?: string): string {
  const file = openFile(text, { fileName });
  if (file.kraftfile.labels[label] === value) return text;
  const content = plainText(file.escape(value));
  const pair = findPair(file.root, 'labels');
  const labels = asMap(file, pair);
  const existing = labels === undefined ? undefined : findPair(labels, label);
  const splices =
    labels === undefined
      ? pair === undefined
        ? insertEntry(file, file.root, 'labels', { [label]: content })
        : replaceValue(file, file.root, pair, { [label]: content })
      : existing === undefined
        ? insertEntry(file, labels, label, content)
        : replaceValue(file, labels, existing, content);
  return finish(file, splices, (after) => after.labels[label] === value);
}
