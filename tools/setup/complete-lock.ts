// Adds the optional platform packages that package-lock.json lacks: npm leaves out those that a partial mirror of the
// registry does not have, and `npm ci` then refuses the lock file, and people on those platforms miss their binaries.
// Run it after each `npm install` that changed the lock file: node tools/setup/complete-lock.ts
import { readFileSync, writeFileSync } from 'node:fs';

interface LockedPackage {
  readonly version?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface Lock {
  packages: Record<string, LockedPackage>;
}

const lockFile = new URL('../../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(lockFile, 'utf8')) as Lock;

for (const [path, { optionalDependencies = {} }] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    if (isLocked(path, name)) continue;
    lock.packages[`node_modules/${name}`] = { version, dev: true, optional: true, ...platform(name) } as LockedPackage;
    process.stdout.write(`added ${name}@${version}\n`);
  }
}
const sorted = Object.entries(lock.packages).toSorted(([a], [b]) => a.localeCompare(b, 'en'));
writeFileSync(lockFile, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`);

/** Whether `name` is found from the package at `path` in the way that Node looks packages up. */
function isLocked(path: string, name: string): boolean {
  for (let folder = path; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('node_modules/') - 1))) {
    if (lock.packages[`${folder === '' ? '' : `${folder}/`}node_modules/${name}`] !== undefined) return true;
    if (folder === '') return false;
  }
}

/** The `os`, `cpu` and `libc` that a package's name tells, as in `@nx/nx-linux-arm64-musl`. */
function platform(name: string): { os: string[]; cpu: string[]; libc?: string[] } {
  const match = /(darwin|freebsd|linux|win32)-(arm64|arm|x64)(?:-(musl|gnu))?/.exec(name);
  if (match?.[1] === undefined || match[2] === undefined) throw new Error(`${name} does not tell its platform`);
  const libc = match[3] === 'musl' ? ['musl'] : match[3] === 'gnu' ? ['glibc'] : undefined;
  return { os: [match[1]], cpu: [match[2]], ...(libc === undefined ? {} : { libc }) };
}
