import { defaultMemory, parseMebibytes } from '../amounts.ts';
import { isUuid } from '../api.ts';
import { CloudFault } from '../fault.ts';
import type { DomainRequest, InstanceRequest, VolumeRequest } from '../instances.ts';
import { parsePorts } from '../ports.ts';
import type { Deployment } from './deployment.ts';
import type { Settings } from './settings.ts';

/** What the deployed image has by itself. */
export interface ImageFacts {
  /** By digest and without the registry: `me/app@sha256:…`. */
  readonly reference: string;
  /** Bytes of its kernel and root file system. */
  readonly size: number;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** Where images say how they sleep. */
const sleepLabel = 'cloud.unikraft.v1.instances/scale_to_zero.';

/**
 * What is to run: a project's settings, the image's own facts for what they leave out, and secrets out of the environment.
 *
 * @throws CloudFault CLOUD_BAD_INPUT
 */
export function describeDeployment(
  name: string,
  settings: Settings,
  image: ImageFacts,
  environment: NodeJS.ProcessEnv,
): Deployment {
  const {
    args,
    env = {},
    secrets = [],
    ports = [],
    volumes = [],
    replicas = 1,
    restart = 'never',
    vcpus = 1,
  } = settings;
  const scaleToZero = sleepOf(settings, image.labels);
  return {
    name,
    image: image.reference,
    imageArgs: image.args,
    imageEnv: image.env,
    args,
    env: { ...env, ...readSecrets(secrets, environment) },
    secrets,
    memory: settings.memory === undefined ? defaultMemory(image.size) : parseMebibytes(settings.memory),
    vcpus,
    ports: parsePorts(ports),
    domains: readDomains(settings),
    volumes: volumes.map(readVolume),
    scaleToZero,
    replicas,
    restart,
  };
}

function readSecrets(names: readonly string[], environment: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  const missing = names.filter((name) => (environment[name] ?? '') === '');
  if (missing.length > 0) {
    throw new CloudFault('CLOUD_BAD_INPUT', `the environment has no ${missing.join(', ')}`, {
      hint: 'Secrets are taken from the environment: set them in CI, or in a file .env.local that git ignores.',
    });
  }
  return Object.fromEntries(names.map((name) => [name, environment[name] ?? '']));
}

/**
 * A name with a dot is a whole domain; one without lies below the metro's own. Certificates belong to domains in the same
 * order.
 *
 * @throws CloudFault CLOUD_BAD_INPUT
 */
export function readDomains({
  domains = [],
  certificates = [],
}: Pick<Settings, 'domains' | 'certificates'>): readonly DomainRequest[] {
  if (certificates.length > domains.length) {
    throw new CloudFault(
      'CLOUD_BAD_INPUT',
      `there are ${certificates.length} certificates for ${domains.length} domains`,
      {
        hint: 'Certificates belong to the domains in the same order.',
      },
    );
  }
  return domains.map((text, index) => {
    const certificate = certificates[index];
    const name = text.includes('.') && !text.endsWith('.') ? `${text}.` : text;
    if (certificate === undefined) return { name };
    return { name, certificate: isUuid(certificate) ? { uuid: certificate } : { name: certificate } };
  });
}

/**
 * `VOLUME:PATH[:ro]`, as for `kraft cloud --volume`.
 *
 * @throws CloudFault CLOUD_BAD_INPUT
 */
export function readVolume(text: string): VolumeRequest {
  const [volume = '', at = '', mode, ...more] = text.split(':');
  if (volume === '' || !at.startsWith('/') || more.length > 0 || (mode !== undefined && !['ro', 'rw'].includes(mode))) {
    throw new CloudFault('CLOUD_BAD_INPUT', `'${text}' cannot be a volume`, {
      hint: 'Write VOLUME:/PATH or VOLUME:/PATH:ro.',
    });
  }
  return { ...(isUuid(volume) ? { uuid: volume } : { name: volume }), at, readonly: mode === 'ro' };
}

function sleepOf({ scaleToZero }: Settings, labels: ImageFacts['labels']): InstanceRequest['scale_to_zero'] {
  const policy = scaleToZero?.policy ?? labels[`${sleepLabel}policy`];
  const stateful = scaleToZero?.stateful ?? toBoolean(labels[`${sleepLabel}stateful`]);
  const cooldown = scaleToZero?.cooldown ?? toNumber(labels[`${sleepLabel}cooldown_time_ms`]);
  if (policy === undefined && stateful === undefined && cooldown === undefined) return undefined;
  return {
    ...(policy === undefined ? {} : { policy }),
    ...(stateful === undefined ? {} : { stateful }),
    ...(cooldown === undefined ? {} : { cooldown_time_ms: cooldown }),
  };
}

function toBoolean(text: string | undefined): boolean | undefined {
  return text === undefined ? undefined : text === 'true';
}

function toNumber(text: string | undefined): number | undefined {
  return text === undefined || !/^\d+$/.test(text) ? undefined : Number(text);
}
