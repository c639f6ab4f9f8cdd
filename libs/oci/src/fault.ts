import { Fault } from '@nx-kraft/base';

export type OciFaultCode =
  /** A reference, digest or platform that does not follow its grammar. */
  | 'REFERENCE_INVALID'
  /** JSON that is no image index, manifest or configuration, or that breaks its rules. */
  | 'DOCUMENT_INVALID'
  /** A blob whose bytes do not give its digest. */
  | 'DIGEST_MISMATCH'
  /** A blob that ends before its size. */
  | 'BLOB_TRUNCATED'
  /** A blob that is named but not there. */
  | 'BLOB_MISSING'
  /** No image of that name. */
  | 'IMAGE_MISSING'
  /** An image of that name is there, and the strategy says to stop. */
  | 'IMAGE_EXISTS'
  /** The image has nothing for the platform, architecture or KConfig asked for. */
  | 'PLATFORM_MISSING'
  /** A folder or archive that is no OCI image layout. */
  | 'LAYOUT_INVALID'
  /** A compression that this version of Node.js, or a reader, does not know. */
  | 'COMPRESSION_UNSUPPORTED'
  /** What is to be packaged contradicts itself. */
  | 'PACKAGE_INVALID'
  /** A kernel or root filesystem that is not there. */
  | 'INPUT_MISSING'
  /** An image that a policy wants signed is not, or not by the right key. */
  | 'SIGNATURE_INVALID'
  /** A key that cannot be read. */
  | 'KEY_INVALID'
  | 'POLICY_INVALID';

/** An image, or what should become one, that cannot be used. */
export class OciFault extends Fault<OciFaultCode> {
  override readonly name = 'OciFault';
}
