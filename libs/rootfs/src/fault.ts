import { Fault } from '@nx-kraft/base';

export type RootfsFaultCode =
  /** Nothing is at the path that was given. */
  | 'SOURCE_MISSING'
  /** Something is there, but no kind of root file system. */
  | 'SOURCE_UNKNOWN'
  /** What is there is not of the type, or does not go with the format, that was asked for. */
  | 'SOURCE_MISMATCH'
  /** A Dockerfile that no builder could follow; `at` is its line. */
  | 'DOCKERFILE_INVALID'
  /** A base image that reads or runs what no Dockerfile names, where that is refused. */
  | 'ONBUILD_REFUSED'
  /** The build itself failed, such as a command that exited with 1. */
  | 'BUILD_FAILED'
  /** No builder can be reached that does what the Dockerfile asks. */
  | 'BUILDER_MISSING'
  /** The builder went away, or broke the protocol. */
  | 'BUILDER_FAILED'
  /** An image that is needed cannot be read. */
  | 'IMAGE_UNAVAILABLE'
  | 'DISK_FULL';

/** A root file system that cannot be made. */
export class RootfsFault extends Fault<RootfsFaultCode> {
  override readonly name = 'RootfsFault';
}
