import { readFileSync } from 'node:fs';
import { refusalOf } from '@nx-kraft/base';
import {
  type CredentialSource,
  OciFault,
  RegistryClient,
  type RegistryOptions,
  type SignaturePolicy,
  readSignaturePolicy,
  signaturePolicyFile,
  userCredentials,
} from '@nx-kraft/oci';
import { kraftLogin } from './kraft-config.ts';
import { type NetworkOptions, networkRules } from './network.ts';
import { pluginVersion } from './version.ts';

/** How registries are reached, as tasks and commands take it. */
export interface RegistryAccess extends NetworkOptions {
  /** Registries that speak plain HTTP. */
  readonly plainHttp?: readonly string[] | undefined;
  /** Registries whose certificates are not checked. */
  readonly insecure?: readonly string[] | undefined;
  /** PEM files with more certificate authorities, relative to the current folder. */
  readonly authorities?: readonly string[] | undefined;
  /** MiB that are sent in one request. */
  readonly chunkSize?: number | undefined;
}

/**
 * A client for registries, to be closed after use: with our own log-ins, Docker's and Podman's, and those of kraft.
 *
 * @param own  log-ins that go before all of these
 */
export function openRegistries(access: RegistryAccess, own?: CredentialSource): RegistryClient {
  const { chunkSize } = access;
  return new RegistryClient({
    ...connectionOptions(access),
    offline: networkRules(access).offline,
    credentials: allCredentials(own),
    ...(chunkSize === undefined ? {} : { chunkSize: chunkSize * 1024 * 1024 }),
  });
}

/** The part of {@link openRegistries} that is about connections. @throws OciFault INPUT_MISSING */
export function connectionOptions({ plainHttp, insecure, authorities }: RegistryAccess): RegistryOptions {
  return {
    plainHttp: plainHttp ?? [],
    insecure: insecure ?? [],
    authorities: (authorities ?? []).map((file) => readText(file, 'the certificate authority')),
    userAgent: `nx-kraft/${pluginVersion}`,
  };
}

function allCredentials(own?: CredentialSource): CredentialSource {
  const known = userCredentials(process.env, own);
  return async (registry) => (await known(registry)) ?? kraftLogin(registry);
}

/** Whose signatures pulled images must have, as the user or CI has set; undefined where nobody has. */
export function userPolicy(): Promise<SignaturePolicy | undefined> {
  return readSignaturePolicy(signaturePolicyFile());
}

/** @throws OciFault INPUT_MISSING */
export function readText(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    const { message, hint = 'Correct the path.' } = refusal;
    throw new OciFault('INPUT_MISSING', `${what} cannot be read: ${message}`, { at: file, hint, cause: error });
  }
}
