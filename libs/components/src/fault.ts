import { Fault } from '@nx-kraft/base';

/** What can go wrong while a component is named, found, fetched or kept. */
export type ComponentFaultCode =
  /** A source, version or name that cannot be meant: empty, beginning with `-`, of an unknown kind. */
  | 'COMPONENT_BAD_NAME'
  /** A local folder, repository or entry of an index that is not there. */
  | 'COMPONENT_NOT_FOUND'
  /** The repository has no such branch, tag or commit (any more). */
  | 'COMPONENT_NO_REVISION'
  /** A server cannot be reached, or answers with an error. */
  | 'COMPONENT_UNREACHABLE'
  /** A server wants a login, which GitHub also does for repositories that are not there. */
  | 'COMPONENT_LOGIN'
  /** Bytes are not those that an index or the lock file promises. */
  | 'COMPONENT_WRONG_CHECKSUM'
  /** An archive that is damaged, of an unknown kind, or that would write outside of its folder. */
  | 'COMPONENT_BAD_ARCHIVE'
  /** An index, a manifest or a Kraftfile-like file that has not the right form. */
  | 'COMPONENT_BAD_INDEX'
  /** Something is needed that only the network has, and the network must not be used. */
  | 'COMPONENT_OFFLINE'
  /** The lock file must not change, and it lacks this. */
  | 'COMPONENT_NOT_LOCKED'
  /** The lock file cannot be read. */
  | 'COMPONENT_BAD_LOCK';

/** A fault about Unikraft's core, a library, a template, an index, the store or the lock file. */
export class ComponentFault extends Fault<ComponentFaultCode> {
  override readonly name = 'ComponentFault';
}
