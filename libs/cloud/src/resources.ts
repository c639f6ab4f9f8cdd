import { type Api, type Id, reference } from './api.ts';
import { knownMetros } from './access.ts';
import { exchange } from './exchange.ts';
import { CloudFault, wasRefusedFor } from './fault.ts';
import {
  anyShape,
  certificateShape,
  type CloudImage,
  imageShape,
  type Quota,
  quotaShape,
  volumeShape,
} from './shapes.ts';

/** Volumes: disks that outlive instances. */
export class CloudVolumes {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  list(ids: readonly Id[] = []) {
    return this.#api.read('/volumes', 'volumes', volumeShape, ids);
  }

  /** @param size  MiB */
  create(size: number, name?: string) {
    const body = { ...(name === undefined ? {} : { name }), size_mb: size };
    return this.#api.write('POST', '/volumes', 'volumes', volumeShape, body);
  }

  attach(id: Id, to: Id, at: string, readonly: boolean) {
    const body = [{ ...reference(id), attach_to: reference(to), at, readonly }];
    return this.#api.write('PUT', '/volumes/attach', 'volumes', anyShape, body);
  }

  /** @param from  an instance; all that it is attached to when it is not given */
  detach(id: Id, from?: Id) {
    const body = [{ ...reference(id), ...(from === undefined ? {} : { from: reference(from) }) }];
    return this.#api.write('PUT', '/volumes/detach', 'volumes', anyShape, body);
  }

  remove(ids: readonly Id[]) {
    return this.#api.write('DELETE', '/volumes', 'volumes', anyShape, ids.map(reference));
  }
}

/** Certificates for domains. */
export class Certificates {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  list(ids: readonly Id[] = []) {
    return this.#api.read('/certificates', 'certificates', certificateShape, ids);
  }

  /** @param certificate  common name, and PEM texts of the chain and the private key */
  create(certificate: { name?: string; cn: string; chain: string; pkey: string }) {
    return this.#api.write('POST', '/certificates', 'certificates', certificateShape.partial(), certificate);
  }

  remove(ids: readonly Id[]) {
    return this.#api.write('DELETE', '/certificates', 'certificates', anyShape, ids.map(reference));
  }
}

/** Images, as the metro has them: what was pushed to the registry arrives some time later. */
export class CloudImages {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  list(): Promise<CloudImage[]> {
    const path = this.#api.metro.selection === 'body' ? '/images/list' : '/images';
    return this.#api.readBy(path, 'images', imageShape, {});
  }

  /**
   * The image of this name, or undefined while the metro has none.
   *
   * @param image  `me/app@sha256:…` or `me/app:tag`
   */
  async find(image: string): Promise<CloudImage | undefined> {
    const path = this.#api.metro.selection === 'body' ? '/images/list' : '/images';
    const fields = image.includes('@') ? { digest: image } : { tag: image };
    try {
      return (await this.#api.readBy(path, 'images', imageShape, fields))[0];
    } catch (error) {
      if (wasRefusedFor(error, 'NotFound')) return undefined;
      throw error;
    }
  }
}

/** What the user has and may have. */
export class Users {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  quotas(): Promise<Quota[]> {
    return this.#api.readBy('/users/quotas', 'quotas', quotaShape, {});
  }
}

/** One of the metros that everybody may use, and whether it answers. */
export interface MetroStatus {
  readonly name: string;
  readonly location: string;
  readonly proxy: string;
  readonly online?: boolean;
  /** Milliseconds until it answered. */
  readonly delay?: number;
}

/** The known metros; with `ask`, each is asked without a token whether it is there: it must refuse. */
export async function listMetros({ ask = false }: { ask?: boolean } = {}): Promise<readonly MetroStatus[]> {
  if (!ask) return knownMetros;
  return Promise.all(
    knownMetros.map(async (metro) => {
      const isFirst = /\d$/.test(metro.name);
      const url = new URL(`https://api.${metro.name}.${isFirst ? 'kraft' : 'unikraft'}.cloud/v1`);
      const start = performance.now();
      try {
        const { status } = await exchange({ method: 'GET', url, bearer: '', timeout: 5000 });
        return { ...metro, online: status === 401, delay: Math.round(performance.now() - start) };
      } catch (error) {
        if (!(error instanceof CloudFault)) throw error;
        return { ...metro, online: false };
      }
    }),
  );
}
