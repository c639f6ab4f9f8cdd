/** Commands of the README and of docs that the test does not run as they are written, each with the reason. */
export const exceptions: Readonly<Record<string, string>> = {
  './tools/demo.sh': 'sets the machine up; CI runs what it runs',
  './tools/test.sh': 'runs this test',
  'npm run check': 'a part of ./tools/test.sh',
  'npx vitest run --project unit': 'a part of ./tools/test.sh',
  'npx vitest run --project e2e': 'a part of ./tools/test.sh',
  'npx create-nx-workspace@24 shop --preset=ts --nxCloud=skip && cd shop': 'installs from npm',
  'npx nx add nx-kraft': 'installs from npm; tools/release/release.e2e.ts runs it with a registry of its own',
  'npx nx run site:test': 'needs the image of nginx; generators.e2e.ts runs this template on one that stands in for it',
  'npx nx run hello:deploy': 'needs an account; tools/cloud-stand-in/deploy.e2e.ts runs it',
  'npx nx run hello:status': 'needs an account; tools/cloud-stand-in/deploy.e2e.ts runs it',
  'npx nx run hello:rollback': 'needs an account; tools/cloud-stand-in/deploy.e2e.ts runs it',
  'npx nx-kraft cloud instance list': 'needs an account; tools/cloud-stand-in/command.spec.ts runs it',
  'CACHE_WRITE_TOKEN=w CACHE_BRANCH_TOKEN=b CACHE_READ_TOKEN=r npm run cache-server -- --folder /srv/cache --host 0.0.0.0':
    'serves until it is stopped; the test has started one',
};

/** What is added to commands that else would do more than this machine can without a network. */
export const additions: readonly { readonly to: RegExp; readonly words: string; readonly reason: string }[] = [
  {
    to: /nx affected/,
    words: '--exclude=site,api,old',
    reason: 'what stands in for runtimes runs no program to test, and nx sync cannot lock it without its registry',
  },
];
