import type { PackagedProgram, System } from '@nx-kraft/base/packages';

/** What a probe found. */
export type Finding =
  | { readonly state: 'ok'; readonly detail: string }
  /** Not there, or there and not working; `remedy` says what to do where no package helps. */
  | { readonly state: 'missing' | 'broken'; readonly detail: string; readonly remedy?: string };

/** Where probes look. */
export interface Surroundings {
  readonly system: System;
  /** The folder of the workspace around the current folder, or the current folder. */
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
}

/** One thing that this machine may have or lack. */
export interface Check {
  readonly subject: string;
  readonly name: string;
  /** Whether nothing of use works without it, so that the doctor ends with 1. */
  readonly needed: boolean;
  /** What does not work without it, or not as well, as a sentence. */
  readonly cost: string;
  /** The program that a package brings. */
  readonly program?: PackagedProgram;
  readonly probe: (surroundings: Surroundings) => Promise<Finding>;
}

/** What a check came to. */
export interface Result {
  readonly subject: string;
  readonly name: string;
  readonly state: Finding['state'];
  readonly detail: string;
  readonly needed: boolean;
  readonly cost: string;
  readonly program?: PackagedProgram;
  /** What to do about it, for this system; undefined when it is in order. */
  readonly remedy?: string;
}
