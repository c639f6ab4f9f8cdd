import { randomBytes, randomUUID } from 'node:crypto';
import { errorNames } from '@nx-kraft/cloud';
import type { CreateInstance } from './requests.ts';

/** What the API says no to, by its own name for the reason. */
export class Refused extends Error {
  readonly error: number;

  constructor(name: (typeof errorNames)[number], message: string) {
    super(message);
    this.error = errorNames.indexOf(name);
  }
}

export interface Reference {
  readonly uuid?: string | undefined;
  readonly name?: string | undefined;
}

export interface Named {
  readonly uuid: string;
  readonly name: string;
  readonly created_at: string;
}

/** Things of one kind, found by name or UUID. */
export class Collection<T extends Named> {
  readonly #items = new Map<string, T>();
  readonly #kind: string;

  constructor(kind: string) {
    this.#kind = kind;
  }

  get size(): number {
    return this.#items.size;
  }

  all(): readonly T[] {
    return [...this.#items.values()];
  }

  /** The fields that every new thing has. */
  identity(name: string | undefined): Named {
    const uuid = randomUUID();
    if (name !== undefined && this.all().some((item) => item.name === name)) {
      throw new Refused('AlreadyExists', `A ${this.#kind} with name '${name}' exists already`);
    }
    const created = new Date().toISOString();
    return { uuid, name: name ?? `${this.#kind}-${randomBytes(3).toString('hex')}`, created_at: created };
  }

  add(item: T): T {
    this.#items.set(item.uuid, item);
    return item;
  }

  get({ uuid, name }: Reference): T {
    const found = uuid !== undefined ? this.#items.get(uuid) : this.all().find((item) => item.name === name);
    if (found === undefined) throw new Refused('NotFound', `No ${this.#kind} with id '${uuid ?? name}'`);
    return found;
  }

  delete(item: T): void {
    this.#items.delete(item.uuid);
  }
}

export interface StandInService extends Named {
  services: readonly unknown[];
  domains: readonly { readonly fqdn: string; readonly certificate?: Reference | undefined }[];
  soft_limit: number;
  hard_limit: number;
  /** Whether it stays when its last instance goes. */
  readonly persistent: boolean;
  scaling?: Readonly<Record<string, unknown>> & { policies: { readonly name: string }[] };
}

export interface StandInVolume extends Named {
  readonly size_mb: number;
  readonly attached: { readonly instance: string; readonly at: string; readonly readonly: boolean }[];
}

export interface StandInCertificate extends Named {
  readonly common_name: string;
}

/** How long things take, in milliseconds, so that a client sees states on the way. */
export interface Pace {
  readonly boot: number;
  readonly life: number;
}

/** A machine that only pretends: its state follows from the time since it was started. */
export class StandInInstance implements Named {
  readonly uuid: string;
  readonly name: string;
  readonly created_at: string;
  readonly request: CreateInstance;
  readonly service: string | undefined;
  readonly #pace: Pace;
  #started: number | undefined;
  #stopped: number | undefined;
  starts = 0;

  constructor(identity: Named, request: CreateInstance, service: string | undefined, pace: Pace) {
    ({ uuid: this.uuid, name: this.name, created_at: this.created_at } = identity);
    this.request = request;
    this.service = service;
    this.#pace = pace;
  }

  start(): void {
    if (this.isUp) throw new Refused('FailedWrongVMState', `Instance '${this.name}' runs already`);
    this.#started = Date.now();
    this.#stopped = undefined;
    this.starts++;
  }

  stop(): void {
    this.#stopped = Date.now();
    this.#started = undefined;
  }

  get isUp(): boolean {
    return !['stopped'].includes(this.state);
  }

  get state(): 'stopped' | 'starting' | 'running' | 'standby' {
    if (this.#started === undefined) return 'stopped';
    const { boot, life } = this.#pace;
    const age = Date.now() - this.#started;
    if (this.#crashes) {
      if (this.request.restart_policy === 'never')
        return age < boot ? 'starting' : age < boot + life ? 'running' : 'stopped';
      return age % (boot + life) < boot ? 'starting' : 'running';
    }
    return age < boot ? 'starting' : 'running';
  }

  /** How often it was started again after a crash. */
  get restarts(): number {
    if (!this.#crashes || this.#started === undefined || this.request.restart_policy === 'never') return 0;
    return Math.floor((Date.now() - this.#started) / (this.#pace.boot + this.#pace.life));
  }

  get hasCrashed(): boolean {
    return this.#crashes && this.#started !== undefined && (this.state === 'stopped' || this.restarts > 0);
  }

  get output(): string {
    if (this.starts === 0) return '';
    const greeting = `Powered by Unikraft\n${this.request.image}\n`;
    const secrets = Object.entries(this.request.env).map(([name, value]) => `${name}=${value}\n`);
    return this.hasCrashed ? `${greeting}${secrets.join('')}panic: cannot open /app.conf\n` : greeting;
  }

  get stopTime(): string | undefined {
    return this.#stopped === undefined ? undefined : new Date(this.#stopped).toISOString();
  }

  get #crashes(): boolean {
    return this.request.env.STAND_IN_CRASH !== undefined;
  }
}
