/** What is fetched from elsewhere when a root file system is made, and may be something else each time. */
export interface Moving {
  readonly name: string;
  /** What would say what it must be, as a sentence. */
  readonly remedy: string;
}

/** Why ADD may need a real builder. */
export const addsFromNetwork = 'adds something from the network';

const remoteSource = /^(https?:\/\/|git@|git:\/\/|ssh:\/\/)/;
const gitAddress = /^(git@|git:\/\/|ssh:\/\/)|^https?:\/\/[^#?]*\.git([#?]|$)/;
const contentDigest = /^sha\d+:[0-9a-f]{64,}$/;
const wholeCommit = /^([0-9a-f]{40}|[0-9a-f]{64})$/;

/** Whether a source of ADD, its variables replaced, is none of the context. */
export function isRemote(source: string): boolean {
  return remoteSource.test(source);
}

/**
 * What of a source of ADD nobody knows before it is fetched; undefined where that is said.
 *
 * @param checksum  the value of `--checksum`; empty without one
 */
export function movingSource(name: string, checksum: string): Moving | undefined {
  if (!gitAddress.test(name)) {
    return contentDigest.test(checksum) ? undefined : { name, remedy: '--checksum=sha256:… says what it must be' };
  }
  return wholeCommit.test(checksum) || namesCommit(name)
    ? undefined
    : { name, remedy: 'a whole commit hash after # says what it must be' };
}

/** The same for a further context that is no folder. Images have an entry in the lock, or none. */
export function movingContext(name: string): Moving | undefined {
  if (name.startsWith(imageScheme) || /@sha256:[0-9a-f]{64}$/.test(name)) return undefined;
  return gitAddress.test(name) && namesCommit(name)
    ? undefined
    : { name, remedy: 'a folder, an image or a whole commit hash of a git repository would be' };
}

export const imageScheme = 'docker-image://';

/** Whether a further context is none of the disk. */
export function isRemoteContext(value: string): boolean {
  return /^[a-z][a-z-]*:\/\//.test(value);
}

/** `#commit`, `#commit:folder` or `?commit=…`. */
function namesCommit(address: string): boolean {
  const [, fragment = ''] = address.split('#');
  const query = /[?&](?:commit|checksum)=(\w+)/.exec(address)?.[1] ?? '';
  return [fragment.split(':', 1).join(), query].some((commit) => wholeCommit.test(commit));
}

/**
 * A frontend that is none of Docker's own, whose versions count as those of builders do.
 *
 * @param syntax  as a `# syntax=` directive has it
 */
export function movingFrontend(syntax: string | undefined): Moving | undefined {
  if (syntax === undefined || /^(docker\.io\/)?docker\/dockerfile(-upstream)?([:@]|$)/.test(syntax)) return undefined;
  return { name: `the frontend ${syntax}`, remedy: 'nobody knows before what it reads' };
}
