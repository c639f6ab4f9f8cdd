import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ComponentFault } from './fault.ts';
import { ignoreFailure, runLocal, runRemote } from './git-run.ts';
import { once, type Store, withWorkFolder } from './store.ts';
import { listSubmodules } from './submodules.ts';
import { hideCredentials } from './url.ts';

/** A commit, and the branch or tag that led to it. */
export interface GitRevision {
  /** Hexadecimal, whole. */
  readonly revision: string;
  /** Such as `refs/heads/stable`; absent when a commit was asked for. */
  readonly ref?: string;
}

const allRefs = ['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*'];

/** A branch or tag of a remote repository; the revision is the commit, also for annotated tags. */
export interface GitRef {
  readonly ref: string;
  readonly revision: string;
}

/**
 * Finds what a version means in a remote repository: a branch, a tag, a release (`0.17`, `0.17.0` and `v0.17.0` are tag
 * `RELEASE-0.17.0`), a whole commit, or the beginning of one; without a version, the repository's default branch.
 * A branch wins over a tag of the same name, as with `git clone --branch`.
 *
 * @throws ComponentFault COMPONENT_NO_REVISION, COMPONENT_NOT_FOUND, COMPONENT_UNREACHABLE
 */
export async function findRevision(
  store: Store,
  url: string,
  version: string | undefined,
  signal: AbortSignal | undefined,
): Promise<GitRevision> {
  if (version !== undefined && isWholeRevision(version)) return { revision: version.toLowerCase() };
  return once(store, `git ${url} ${version ?? ''}`, async () => {
    const candidates = version === undefined ? ['HEAD'] : candidateRefs(version);
    const refs = await listRefs(store, url, candidates, signal);
    for (const candidate of candidates) {
      const found = refs.find(({ ref }) => ref === candidate);
      if (found !== undefined) return found;
    }
    const found = version === undefined ? undefined : await findAbbreviated(store, url, version, signal);
    if (found !== undefined) return { revision: found };
    throw new ComponentFault('COMPONENT_NO_REVISION', `there is no branch, tag or commit ${version ?? 'HEAD'}`, {
      at: hideCredentials(url),
      hint: `git ls-remote ${hideCredentials(url)} lists what is there.`,
    });
  });
}

/** Whether a version is a whole commit, which means the same for ever. */
export function isWholeRevision(version: string | undefined): boolean {
  return version !== undefined && /^([0-9a-f]{40}|[0-9a-f]{64})$/i.test(version);
}

function candidateRefs(version: string): readonly string[] {
  if (version.startsWith('refs/')) return [version];
  const number = version.replace(/^v(?=\d)/, '');
  const releases = !/^\d+(\.\d+)+/.test(number)
    ? []
    : [number, ...(/^\d+\.\d+$/.test(number) ? [`${number}.0`] : [])].flatMap((release) => [
        `refs/tags/RELEASE-${release}`,
        `refs/tags/v${release}`,
        `refs/tags/${release}`,
      ]);
  return [`refs/heads/${version}`, `refs/tags/${version}`, ...releases];
}

/** Lists branches and tags of a remote repository, or those that match whole names. */
export async function listRefs(
  store: Store,
  url: string,
  names: readonly string[],
  signal: AbortSignal | undefined,
): Promise<readonly GitRef[]> {
  const refs = new Map<string, string>();
  const onLine = (line: string): void => {
    const [, revision, ref] = /^([0-9a-f]{40,64})\t(\S+)$/.exec(line) ?? [];
    // Annotated tags are listed twice, the commit second and with `^{}` at the end.
    if (revision !== undefined && ref !== undefined) refs.set(ref.replace(/\^\{\}$/, ''), revision);
  };
  // HEAD matches by its end too, hence the exact look-up by whoever asks.
  const patterns = names.flatMap((name) => (name.startsWith('refs/tags/') ? [name, `${name}^{}`] : [name]));
  const which = patterns.length === 0 ? ['--heads', '--tags'] : [];
  await runRemote(store, url, ['ls-remote', ...which, '--', url, ...patterns], { signal, onLine });
  return Array.from(refs, ([ref, revision]) => ({ ref, revision }));
}

/** Finds the commit that begins with these digits: no server does that, so all commits (not their files) are fetched. */
async function findAbbreviated(
  store: Store,
  url: string,
  version: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  if (!/^[0-9a-f]{7,}$/i.test(version)) return undefined;
  return withWorkFolder(store, async (work) => {
    const repository = await createRepository(work, 'sha1', signal);
    const fetch = ['fetch', '--quiet', '--filter=tree:0', '--', url, ...allRefs];
    await runRemote(store, url, fetch, { cwd: repository, signal });
    const parse = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${version}^{commit}`];
    return await runLocal(parse, { cwd: repository, signal }).catch(ignoreFailure);
  });
}

/**
 * Writes the files of one commit, without `.git`, into an empty folder: as git checks them out, with submodules, and
 * whatever the user's own settings for line ends and filters are. Only that commit is fetched, without its history.
 *
 * @throws ComponentFault COMPONENT_NO_REVISION when the commit is not there any more
 */
export async function checkoutRevision(
  store: Store,
  { url, revision }: { readonly url: string; readonly revision: string },
  folder: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  await withWorkFolder(store, async (work) => {
    const repository = await createRepository(work, revision.length === 64 ? 'sha256' : 'sha1', signal);
    await fetchRevision(store, url, revision, repository, signal);
    const env = { GIT_DIR: repository, GIT_WORK_TREE: folder };
    await runLocal(['checkout', '--quiet', '--force', '--detach', revision], { cwd: folder, env, signal });
    for (const module of await listSubmodules({ url, revision, repository, folder, signal })) {
      await checkoutRevision(store, module, join(folder, module.path), signal);
    }
  });
}

async function createRepository(work: string, format: string, signal: AbortSignal | undefined): Promise<string> {
  const repository = join(work, 'repository');
  await mkdir(repository);
  const args = ['init', '--quiet', '--bare', '--template=', `--object-format=${format}`];
  await runLocal(args, { cwd: repository, signal });
  return repository;
}

async function fetchRevision(
  store: Store,
  url: string,
  revision: string,
  repository: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const options = { cwd: repository, signal };
  const fetch = ['fetch', '--quiet', '--no-tags', '--no-recurse-submodules'];
  try {
    await runRemote(store, url, [...fetch, '--depth=1', '--', url, revision], options);
    return;
  } catch (error) {
    if (!(error instanceof ComponentFault) || error.code !== 'COMPONENT_NO_REVISION') throw error;
  }
  // Old servers give only what a branch or tag points at: take all of them, and look whether it is among their history.
  await runRemote(store, url, [...fetch, '--', url, ...allRefs], options);
  const test = ['cat-file', '-e', `${revision}^{commit}`];
  if ((await runLocal(test, options).catch(ignoreFailure)) !== undefined) return;
  throw new ComponentFault('COMPONENT_NO_REVISION', `commit ${revision} is not there (any more)`, {
    at: hideCredentials(url),
    hint: 'Its branch or tag may have been moved; if you trust the change, update the entry in kraft.lock on purpose.',
  });
}
