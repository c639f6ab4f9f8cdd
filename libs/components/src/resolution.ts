/** A local folder, used in place, or the tree of a local archive; what it holds may change at any time. */
export interface FolderResolution {
  readonly kind: 'folder';
  readonly key: string;
  readonly folder: string;
}

/** One commit of a git repository. */
export interface GitResolution {
  readonly kind: 'git';
  /** As {@link componentKey} gives it. */
  readonly key: string;
  /** Without credentials. */
  readonly url: string;
  /** The branch or tag that led here, such as `refs/heads/stable`. */
  readonly ref?: string;
  readonly revision: string;
  /** Content hash of the tree, see `hashTree`. */
  readonly content: string;
}

/** One packed source. */
export interface TarballResolution {
  readonly kind: 'tarball';
  readonly key: string;
  /** Without credentials. */
  readonly url: string;
  /** Of the archive, in hexadecimal. */
  readonly sha256: string;
  /** The commit, where the archive tells. */
  readonly revision?: string;
  readonly content: string;
}

export type RemoteResolution = GitResolution | TarballResolution;

/** What exactly a request means. Plain JSON without credentials; equal ones are the same bytes, a folder's aside. */
export type Resolution = FolderResolution | RemoteResolution;

/** What is going on, for whoever waits. */
export interface ComponentProgress {
  readonly kind: 'resolving' | 'fetching' | 'waiting' | 'unlocked' | 'warning';
  /** As {@link componentKey} gives it. */
  readonly component: string;
  /** A sentence for people. */
  readonly message: string;
}

export interface FetchOptions {
  /** Never talk to another machine. */
  readonly offline?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: ComponentProgress) => void) | undefined;
}
