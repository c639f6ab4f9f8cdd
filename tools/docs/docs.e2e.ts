import { afterAll, beforeAll, expect, test } from 'vitest';
import { exceptions } from './exceptions.ts';
import { commandsOf, readPages } from './pages.ts';
import { World } from './world.ts';

/** What commands must have written the last time that a page names them, where their exit code alone says little. */
const expected: Readonly<Record<string, string | RegExp>> = {
  'npx nx run hello:run': 'Hello, world!',
  'npx nx run hello:build': /local cache|from the cache|match the cache/,
  'npx nx-kraft pkg ls registry.example/team/hello:1.0 --remote --all': 'team/hello',
  "npx nx-kraft pkg ls --libs 'lw*'": 'lwip',
  'npx nx-kraft inspect apps/hello/Kraftfile': '"name": "hello"',
  'npx nx-kraft run apps/hello': 'Hello, world!',
  'npx nx run hello:run --offline': 'Hello, world!',
  'npx nx affected -t lint build test package': 'Successfully ran targets',
};

const pages = await readPages();
/** Commands that have run, on any page. */
const ran = new Set<string>();

let world: World;
beforeAll(async () => {
  world = await World.create();
});
afterAll(() => world.close());

// The pages go on with one workspace, as their readers do.
test.each(pages.filter((page) => commandsOf(page).length > 0))(
  'every command of $path does what it says',
  async (page) => {
    const commands = commandsOf(page);
    const before = new Set(ran);
    const settings: string[] = [];
    for (const [index, command] of commands.entries()) {
      const line = world.localised(command);
      if (command.startsWith('export ')) settings.push(line);
      else if (!Object.hasOwn(exceptions, command) && !before.has(command)) {
        const { exitCode, output } = await world.run([...settings, line].join('; '));
        expect(exitCode, `${command}\n${output}`).toBe(0);
        if (commands.lastIndexOf(command) === index) expect(output).toMatch(expected[command] ?? '');
        ran.add(command);
      }
    }
  },
);

test('what is expected is expected of commands that have run', () => {
  expect(Object.keys(expected).filter((command) => !ran.has(command))).toEqual([]);
});
