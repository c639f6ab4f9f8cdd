import type { Group } from './command.ts';

const kraftfiles = 'Kraftfiles';
const images = 'Images and components';
const machines = 'Machines';
const thisMachine = 'This machine';
const manyMachines = 'Many machines';

/** All commands; each is loaded only when it is called. */
export const commands: Group = {
  commands: {
    lint: {
      subject: kraftfiles,
      summary: 'Checks Kraftfiles, and all Kraftfiles below folders, and explains what is wrong.',
      load: async () => (await import('./lint.ts')).lint,
    },
    inspect: {
      subject: kraftfiles,
      summary: 'Prints what a Kraftfile says, in one form for all versions and spellings, as JSON.',
      load: async () => (await import('./inspect.ts')).inspect,
    },
    set: {
      subject: kraftfiles,
      summary: 'Sets KConfig options in a Kraftfile; comments, order and quotes stay.',
      load: async () => (await import('./edit.ts')).set,
    },
    unset: {
      subject: kraftfiles,
      summary: 'Removes KConfig options from a Kraftfile, so that defaults count again.',
      load: async () => (await import('./edit.ts')).unset,
    },
    target: {
      subject: kraftfiles,
      summary: 'Adds a target to a Kraftfile, or removes one.',
      load: async () => (await import('./edit.ts')).target,
    },
    lib: {
      subject: kraftfiles,
      summary: 'Adds a library to a Kraftfile, or removes one.',
      load: async () => (await import('./edit.ts')).lib,
    },
    upgrade: {
      subject: kraftfiles,
      summary: 'Rewrites a Kraftfile for a newer version of its specification.',
      load: async () => (await import('./edit.ts')).upgrade,
    },
    rootfs: {
      subject: images,
      summary: 'Makes a folder, archive, image or Dockerfile into one root file system.',
      load: async () => (await import('./rootfs.ts')).rootfs,
    },
    pkg: {
      subject: images,
      summary: "Works with images, in this machine's store and in registries, and with components.",
      load: async () => (await import('./pkg.ts')).pkg,
    },
    login: {
      subject: images,
      summary: 'Checks a token or password with a registry and keeps it in a file of our own.',
      load: async () => (await import('./login.ts')).login,
    },
    logout: {
      subject: images,
      summary: 'Forgets the log-in for a registry, so far as it is ours.',
      load: async () => (await import('./login.ts')).logout,
    },
    store: {
      subject: images,
      summary: 'Shows the sources that are kept for all workspaces, and frees what no lock file needs.',
      load: async () => (await import('./store.ts')).store,
    },
    run: {
      subject: machines,
      summary: 'Boots a built Kraftfile, a kernel file or an image.',
      load: async () => (await import('./run.ts')).run,
    },
    ps: {
      subject: machines,
      summary: 'Lists machines that run.',
      load: async () => (await import('./instances.ts')).ps,
    },
    info: {
      subject: machines,
      summary: 'Tells all that is known of machines, as JSON.',
      load: async () => (await import('./instances.ts')).info,
    },
    logs: {
      subject: machines,
      summary: 'Shows what machines have written to their consoles.',
      load: async () => (await import('./instances.ts')).logs,
    },
    start: {
      subject: machines,
      summary: 'Starts machines again, or goes on with paused ones.',
      load: async () => (await import('./instances.ts')).start,
    },
    stop: {
      subject: machines,
      summary: 'Stops machines in order.',
      load: async () => (await import('./instances.ts')).stop,
    },
    pause: {
      subject: machines,
      summary: 'Pauses machines.',
      load: async () => (await import('./instances.ts')).pause,
    },
    rm: {
      subject: machines,
      summary: 'Removes machines, ending them first.',
      aliases: ['remove'],
      load: async () => (await import('./instances.ts')).rm,
    },
    net: {
      subject: machines,
      summary: 'Makes networks of this host for machines.',
      aliases: ['network'],
      load: async () => (await import('./networks.ts')).net,
    },
    volume: {
      subject: machines,
      summary: 'Keeps folders for machines by name.',
      aliases: ['vol', 'volumes'],
      load: async () => (await import('./volumes.ts')).volume,
    },
    cloud: {
      subject: 'Unikraft Cloud',
      summary: 'Works with instances, services, volumes and all else that is on Unikraft Cloud.',
      load: async () => (await import('./cloud/cloud.ts')).cloud,
    },
    doctor: {
      subject: thisMachine,
      summary: 'Looks whether this machine has what building and running needs, and says how to get the rest.',
      load: async () => (await import('./doctor.ts')).doctor,
    },
    completion: {
      subject: thisMachine,
      summary: 'Prints what lets bash, zsh or fish complete this command.',
      load: async () => (await import('./completion.ts')).completion,
    },
    version: {
      subject: thisMachine,
      summary: 'Prints the version; --version does the same.',
      load: async () => (await import('./version.ts')).version,
    },
    ci: {
      subject: manyMachines,
      summary: 'Splits a build among the machines of CI, and does the share of one of them.',
      load: async () => (await import('./ci.ts')).ci,
    },
  },
  notes: 'These are for what has no project; within Nx projects use nx run PROJECT:build, :run, :test and so on.',
};
