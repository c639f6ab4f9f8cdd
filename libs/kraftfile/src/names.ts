/** The names that a folder's own Kraftfile may have, the first one found winning (as in kraft). */
export const kraftfileNames = ['kraft.yaml', 'kraft.yml', 'Kraftfile.yml', 'Kraftfile.yaml', 'Kraftfile'] as const;

/**
 * Whether a file's name is one that people give to Kraftfiles: a default one, or a further one for the same folder such
 * as `Kraftfile.web`, `Kraftfile_web` or `kraft.cloud.yaml`. Look into the file with {@link isKraftfile} too.
 */
export function isKraftfileName(name: string): boolean {
  return /^(Kraftfile([._-].+)?|kraft(\..+)?\.ya?ml)$/.test(name) && !otherFile.test(name);
}

/** Copies that editors leave, and files about Kraftfiles. */
const otherFile = /~$|\.(bak|html|j2|json|lock|mdx?|orig|rej|swp|tmp|tmpl|txt)$/;

/** What tells a Kraftfile from its folder's default one: `web` for `Kraftfile.web`; undefined for the default names. */
export function variantOfName(name: string): string | undefined {
  const match = /^(?:Kraftfile|kraft)[._-](.+?)(?:\.ya?ml)?$/.exec(name);
  if (match?.[1] === undefined) return undefined;
  return /^ya?ml$/.test(match[1]) ? undefined : match[1];
}

/** How far into a file its top-level keys are looked for, in characters. */
const probed = 64 * 1024;

/**
 * A cheap test of whether a text is meant as a Kraftfile, broken or not: it has `spec` or `specification` with a
 * version at the top, or `unikraft` or `runtime`, and is no Kubernetes manifest. (KRaft of Kafka has `kraft.yaml` files
 * too.) Reads no YAML.
 */
export function isKraftfile(text: string): boolean {
  const head = text.slice(0, probed);
  if (/^(apiVersion|kind)[ \t]*:/m.test(head)) return false;
  return versionKey.test(head) || /^["']?(unikraft|runtime)["']?[ \t]*:/m.test(head);
}

/** At the start of a line, or of a file that is JSON. */
const versionKey = /^\ufeff?(\s*\{\s*)?["']?spec(ification)?["']?[ \t]*:[ \t]*["']?v?\d/m;
