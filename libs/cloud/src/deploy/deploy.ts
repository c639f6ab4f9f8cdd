import type { Cloud } from '../cloud.ts';
import { CloudFault, wasRefusedFor } from '../fault.ts';
import type { CloudInstance, Service } from '../shapes.ts';
import { type Deployment, instanceRequest, withoutSecrets } from './deployment.ts';
import { checkSignal, pauseFor, waitUntilHealthy } from './health.ts';
import { lookAt, urlsOf } from './look.ts';
import { type Plan, planDeployment, type Rollout } from './plan.ts';

export interface DeployOptions {
  readonly rollout: Rollout;
  /** How many earlier versions are kept, stopped, for rollbacks. */
  readonly history: number;
  /** Seconds until the metro must have the image, and until each instance must run. */
  readonly timeout: number;
  /** Seconds that the new ones must run before the old ones go. */
  readonly rolloutWait: number;
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Brings the image to the registry; called only when something new is to start. */
  readonly bringImage?: () => Promise<void>;
  /** Told of each step. */
  readonly onStep?: (text: string) => void;
}

/** What a deployment has done. */
export interface Deployed {
  readonly name: string;
  readonly metro: string;
  readonly image: string;
  readonly version: number;
  readonly changed: boolean;
  readonly urls: readonly string[];
  readonly instances: readonly string[];
  readonly plan: Plan;
}

/** Milliseconds that open connections have when an instance stops. */
const drainTime = 5000;

/**
 * Makes what runs under a name what it should be, and does nothing when it is already (two requests). New instances start
 * beside the old ones, which go on serving until the new ones have run for a while. When something fails, or the user
 * wants an end before that, the new ones are removed and nothing else has changed.
 *
 * @throws CloudFault CLOUD_NO_IMAGE, CLOUD_UNHEALTHY, CLOUD_STOPPED, CLOUD_REFUSED (quota, names that are taken)
 */
export async function deploy(cloud: Cloud, deployment: Deployment, options: DeployOptions): Promise<Deployed> {
  const { dryRun = false, signal, onStep = () => undefined } = options;
  const seen = await lookAt(cloud, deployment.name);
  const plan = planDeployment(seen, deployment, options);
  const result = (service: Service | undefined, changed: boolean, names: readonly string[]): Deployed => ({
    name: deployment.name,
    metro: cloud.api.metro.name,
    image: deployment.image,
    version: plan.version,
    changed,
    urls: urlsOf(service),
    instances: [...plan.remain.map(({ name }) => name), ...names],
    plan,
  });
  if (plan.isUnchanged || dryRun) return result(seen.service, false, []);

  checkSignal(signal);
  if (plan.start.length > 0) {
    await options.bringImage?.();
    await waitForImage(cloud, deployment.image, options);
  }
  const made = new Made(cloud);
  let service = seen.service;
  try {
    checkSignal(signal);
    if (plan.service === 'create') service = await made.service(deployment, onStep);
    for (const name of plan.start) {
      checkSignal(signal);
      onStep(`starting ${name}`);
      await made.instance(deployment, name, service?.uuid);
    }
    if (plan.start.length > 0) {
      await waitUntilHealthy(cloud, made.ids, {
        timeout: options.timeout,
        settle: options.rolloutWait,
        signal,
        onState: ({ name, state }) => onStep(`${name} is ${state}`),
        censor: (text) => withoutSecrets(text, deployment),
      });
    }
    if (service !== undefined) await changeService(cloud, service, plan, deployment);
  } catch (error) {
    onStep('taking back what was started');
    await made.undo();
    throw error;
  }
  // From here on the new ones serve, and whatever happens leaves them alone.
  await retire(cloud, plan, options);
  const isServiceNew = plan.service === 'create' || plan.service === 'change';
  return result(isServiceNew ? await cloud.services.find(deployment.name) : service, true, plan.start);
}

/** What this deployment has made so far, and can take back. */
class Made {
  readonly ids: string[] = [];
  readonly #cloud: Cloud;
  #service: string | undefined;

  constructor(cloud: Cloud) {
    this.#cloud = cloud;
  }

  async service({ name, ports, domains }: Deployment, onStep: (text: string) => void): Promise<Service> {
    onStep(`creating service ${name}`);
    const request = { name, services: ports, ...(domains.length === 0 ? {} : { domains }) };
    const [service] = await this.#orFind(
      () => this.#cloud.services.create(request),
      () => this.#cloud.services.find(name),
    );
    this.#service = service?.uuid;
    return service as Service;
  }

  async instance(deployment: Deployment, name: string, service: string | undefined): Promise<void> {
    const request = instanceRequest(deployment, name, service);
    const created = await this.#orFind(
      () => this.#cloud.instances.create(request),
      () => this.#cloud.instances.find(name),
    );
    this.ids.push(...created.map(({ uuid }) => uuid));
  }

  /** Creates something; when the answer was lost on the way, looks whether it is there. */
  async #orFind<T>(create: () => Promise<readonly T[]>, find: () => Promise<T | undefined>): Promise<readonly T[]> {
    try {
      return await create();
    } catch (error) {
      const isLost =
        error instanceof CloudFault &&
        ['CLOUD_TIMEOUT', 'CLOUD_UNREACHABLE', 'CLOUD_NOT_UNDERSTOOD'].includes(error.code);
      const found = isLost ? await find() : undefined;
      if (found === undefined) throw error;
      return [found];
    }
  }

  async undo(): Promise<void> {
    if (this.ids.length > 0) await this.#cloud.instances.remove(this.ids);
    // A service may go with its last instance.
    if (this.#service !== undefined) await ignoreMissing(this.#cloud.services.remove([this.#service]));
  }
}

/** Waits until the metro has an image that was pushed: it takes a while to get there. */
async function waitForImage(cloud: Cloud, image: string, { timeout, signal, onStep }: DeployOptions): Promise<void> {
  const deadline = Date.now() + timeout * 1000;
  for (let pause = 250, isTold = false; ; pause = Math.min(pause * 1.5, 3000)) {
    if ((await cloud.images.find(image)) !== undefined) return;
    if (Date.now() + pause > deadline) {
      throw new CloudFault('CLOUD_NO_IMAGE', `${cloud.api.metro.name} has no image ${image} after ${timeout} seconds`, {
        hint: 'Check that it was pushed to the registry of this metro and is of this account, or allow more time.',
      });
    }
    if (!isTold) onStep?.(`waiting for the image to arrive in ${cloud.api.metro.name}`);
    isTold = true;
    await pauseFor(pause, signal);
  }
}

async function changeService(cloud: Cloud, { uuid }: Service, plan: Plan, deployment: Deployment): Promise<void> {
  const values = { services: deployment.ports, domains: deployment.domains };
  for (const { prop } of plan.serviceChanges) {
    await cloud.services.change(uuid, { op: 'set', prop, value: values[prop] });
  }
}

async function retire(cloud: Cloud, plan: Plan, { rollout, history, onStep }: DeployOptions): Promise<void> {
  const ids = plan.retire.map(({ uuid }) => uuid);
  for (const { name } of plan.retire) onStep?.(`stopping ${name}`);
  if (ids.length > 0) await cloud.instances.stop(ids, { drain: drainTime });
  const removed = [...plan.forget, ...(rollout === 'remove' || history === 0 ? plan.retire : [])];
  await removeInstances(cloud, removed);
}

async function removeInstances(cloud: Cloud, instances: readonly CloudInstance[]): Promise<void> {
  if (instances.length > 0) await ignoreMissing(cloud.instances.remove(instances.map(({ uuid }) => uuid)));
}

/** What somebody else has removed meanwhile is gone, as it should be. */
export async function ignoreMissing(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!wasRefusedFor(error, 'NotFound')) throw error;
  }
}
