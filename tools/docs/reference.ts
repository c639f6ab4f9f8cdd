// Writes docs/reference from what the code itself says: schemas of executors and generators, the description of the
// command, the schemas of kraft.test.json and kraft.deploy.json, the plugin's options.
//   npx node tools/docs/reference.ts
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { scenariosJsonSchema } from '@nx-kraft/machine/scenario';
import { settingsJsonSchema } from '@nx-kraft/cloud';
import { type Found, subcommandsOf } from '../../libs/nx-kraft/src/cli/find-command.ts';
import { formatHelp } from '../../libs/nx-kraft/src/cli/help.ts';
import { program } from '../../libs/nx-kraft/src/cli/program.ts';
import { taskNames } from '../../libs/nx-kraft/src/options.ts';
import { root } from './pages.ts';
import { type Schema, schemaTable } from './schema-table.ts';

const plugin = join(root, 'libs/nx-kraft');

const note = '<!-- Written by tools/docs/reference.ts; a change goes where the text comes from. -->';

/** The pages of the reference by their names in docs/reference, as they should be. */
export async function referencePages(): Promise<ReadonlyMap<string, string>> {
  const pages = new Map([
    ['executors.md', await toolPage('executors', 'Executors', executorIntroduction)],
    ['generators.md', await toolPage('generators', 'Generators', generatorIntroduction)],
    ['command.md', await commandPage()],
    ['kraft-test-json.md', testPage()],
    ['kraft-deploy-json.md', deployPage()],
  ]);
  const style = await resolveConfig(join(root, 'docs/README.md'));
  const formatted = [...pages].map(async ([name, text]): Promise<[string, string]> => {
    return [name, await format(`${note}\n\n${text}\n`, { ...style, parser: 'markdown' })];
  });
  return new Map(await Promise.all(formatted));
}

const executorIntroduction = `What the inferred tasks run. An option goes behind the task (\`nx run hello:run --memory=128Mi\`)
or under \`targets\` in the project's \`project.json\`. \`kraftfile\` is set by the plugin.

The tasks' names can be changed by options of the plugin in \`nx.json\`, such as
\`{ "plugin": "nx-kraft", "options": { "buildTargetName": "kernel" } }\`:
${Object.keys(taskNames())
  .map((task) => `\`${task}TargetName\``)
  .join(', ')}.`;

const generatorIntroduction = `\`nx g nx-kraft:app apps/web --template=c\`, with \`--dry-run\` to see what would be written. All of them ask on a
terminal for what they need and was not given.`;

interface Tools {
  readonly [name: string]: { readonly schema: string; readonly description: string };
}

async function toolPage(kind: 'executors' | 'generators', title: string, introduction: string): Promise<string> {
  const { [kind]: tools = {} } = await readJson<Readonly<Record<string, Tools>>>(join(plugin, `${kind}.json`));
  const parts = Object.entries(tools).map(async ([name, { schema, description }]) => {
    const table = schemaTable(await readJson<Schema>(join(plugin, schema)));
    return `## ${name}\n\n${description}\n\n${table}`;
  });
  return [`# ${title}`, introduction, ...(await Promise.all(parts))].join('\n\n');
}

async function commandPage(): Promise<string> {
  const parts: string[] = ['# The command nx-kraft', 'As `nx-kraft help` and `--help` of each command print it.'];
  for (const { path, summary, command } of await allCommands(program)) {
    parts.push(`## ${path}`, `\`\`\`text\n${formatHelp(path, summary, command)}\`\`\``);
  }
  return parts.join('\n\n');
}

/** A command with all below it. */
export async function allCommands(found: Found): Promise<readonly Found[]> {
  if ('run' in found.command) return [found];
  const below = await subcommandsOf({ ...found, command: found.command });
  return [found, ...(await Promise.all(below.map(allCommands))).flat()];
}

function testPage(): string {
  const { items = {} } = scenariosJsonSchema() as Schema;
  return `# kraft.test.json

The scenarios of the task \`test\`: \`{ "scenarios": [{ "name": "boots" }] }\` beside the Kraftfile. Without the file the
unikernel must boot and end well. Each scenario boots the unikernel once; its fields, of which only \`name\` is required:

${schemaTable(items)}`;
}

function deployPage(): string {
  return `# kraft.deploy.json

Where this file lies beside the Kraftfile, the project has the tasks of Unikraft Cloud: \`deploy\`, \`status\`, \`logs\`,
\`rollback\` and \`undeploy\`. All of it is optional; \`{}\` will do.

${schemaTable(settingsJsonSchema())}`;
}

async function readJson<T>(file: string): Promise<T> {
  return JSON.parse(await readFile(file, 'utf8')) as T;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const [name, text] of await referencePages()) await writeFile(join(root, 'docs/reference', name), text);
}
