import type { Group } from '../command.ts';

/** `nx-kraft cloud`: what is on Unikraft Cloud, with the words of `kraft cloud`. */
export const cloud: Group = {
  commands: {
    deploy: {
      summary: 'Makes what runs under a name what is asked for, beside what serves until that is healthy.',
      load: async () => (await import('./deploy.ts')).deploy,
    },
    instance: {
      summary: 'Instances: list, get, create, start, stop, remove, logs.',
      aliases: ['instances', 'inst', 'vm', 'vms'],
      load: async () => (await import('./instances.ts')).instance,
    },
    image: {
      summary: 'Images that the metro has: list, remove.',
      aliases: ['images', 'img'],
      load: async () => (await import('./images.ts')).image,
    },
    service: {
      summary: 'Services, which are ports and domains: list, get, create, remove.',
      aliases: ['services', 'svc'],
      load: async () => (await import('./services.ts')).service,
    },
    scale: {
      summary: 'How many instances a service has, by rules: init, add, get, remove, reset.',
      aliases: ['autoscale', 'scl'],
      load: async () => (await import('./scaling.ts')).scale,
    },
    volume: {
      summary: 'Volumes: list, get, create, attach, detach, import, remove.',
      aliases: ['volumes', 'vol'],
      load: async () => (await import('./volumes.ts')).volume,
    },
    certificate: {
      summary: 'Certificates for domains: list, get, create, remove.',
      aliases: ['certificates', 'cert', 'certs', 'crt'],
      load: async () => (await import('./certificates.ts')).certificate,
    },
    user: {
      summary: 'Whose token it is, and where.',
      load: async () => (await import('./user.ts')).user,
    },
    quota: {
      summary: 'What is used, and what there may be.',
      aliases: ['quotas'],
      load: async () => (await import('./user.ts')).quota,
    },
    metro: {
      summary: 'The metros that everybody may use.',
      aliases: ['metros'],
      load: async () => (await import('./metros.ts')).metro,
    },
    tunnel: {
      summary: 'Makes ports of instances that the world cannot reach reachable from this machine.',
      load: async () => (await import('./tunnel.ts')).tunnel,
    },
  },
  notes: 'The token is taken from UKC_TOKEN, or a log-in to index.unikraft.io; the metro from --metro or UKC_METRO.',
};
