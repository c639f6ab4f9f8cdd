import { nearestWord } from '@nx-kraft/base';
import { z } from 'zod';
import { MachineFault } from './fault.ts';
import { parseMemory, parseQuantity } from './memory.ts';

const textSchema = z
  .union([z.string(), z.strictObject({ pattern: z.string().refine(doesNotThrow(RegExp), 'no regular expression') })])
  .meta({ title: 'text or { "pattern": … }' });

const quantitySchema = z.string().refine(doesNotThrow(parseQuantity), 'no amount such as 64Mi');
const memorySchema = z.string().refine(doesNotThrow(parseMemory), 'no amount of memory from 1Mi on');
const durationSchema = z.number().positive();
const portSchema = z.int().min(1).max(65_535);

const exchangeSchema = z.strictObject({
  port: portSchema.describe('The port of the guest.'),
  path: z.string().startsWith('/').default('/'),
  method: z.string().default('GET'),
  headers: z.record(z.string(), z.string()).default({}),
  body: z.string().optional(),
  expect: z
    .strictObject({
      status: z.int().default(200),
      headers: z.record(z.string(), textSchema).default({}),
      body: textSchema.optional(),
    })
    .prefault({})
    .describe('What the answer must be.'),
});

const budgetsSchema = z.strictObject({
  ready: durationSchema
    .optional()
    .describe('Seconds from the first instruction until the guest is ready and has answered its first request.'),
  total: durationSchema.optional().describe('Seconds from the first instruction to the end.'),
  memory: quantitySchema.optional().describe('The most memory that the machine may take on the host, a quantity.'),
  imageSize: quantitySchema.optional().describe('The most that kernel and initrd together may have, a quantity.'),
});

const scenarioSchema = z.strictObject({
  name: z.string().min(1).describe("Unique among an app's scenarios."),
  args: z.array(z.string()).optional().describe("Arguments of the program instead of the project's."),
  env: z.record(z.string(), z.string()).optional().describe("Variables besides the project's."),
  kernelArgs: z.array(z.string()).optional().describe("Parameters of the kernel besides the project's."),
  memory: memorySchema.optional().describe('A quantity such as `64Mi`.'),
  cpus: z.int().positive().optional(),
  input: z.string().optional().describe('What is typed to the console once the guest is ready.'),
  console: z
    .array(textSchema)
    .default([])
    .describe('What the console must show, each in a line of its own and in this order.'),
  never: z
    .array(textSchema)
    .default([])
    .describe('What no line of the console may show; the first one that does ends the scenario.'),
  ready: textSchema
    .optional()
    .describe('The line that tells that the guest is ready; without it, it is ready at its first line.'),
  http: z
    .array(exchangeSchema)
    .default([])
    .describe(
      'Requests, one after the other, once the guest is ready; without `ready` a guest may get the first one twice.',
    ),
  tcp: z
    .array(z.strictObject({ port: portSchema, send: z.string().default(''), expect: textSchema }))
    .default([])
    .describe('Exchanges over TCP: what is sent, and what the answer must hold.'),
  files: z
    .array(z.strictObject({ path: z.string(), content: textSchema.optional() }))
    .default([])
    .describe(
      'Files of the host, relative to the project, that must be there in the end; for what a guest writes to a volume.',
    ),
  end: z
    .union([z.int(), z.literal('crash'), z.literal('running')])
    .optional()
    .describe(
      'How the machine must end: an exit code, `crash`, or `running`: that it still runs when all else is done, and is then stopped. Default: `running` where there are exchanges, else 0. Under the ELF loader of Unikraft a guest goes on when its program has ended, so it is `running` there.',
    ),
  idle: durationSchema
    .default(10)
    .describe(
      'Seconds for which the guest may do nothing, neither write nor compute, before it counts as hung and the scenario fails; more for one that sleeps long. One that can never wake up again fails at once.',
    ),
  timeout: durationSchema.default(30).describe('Seconds that all of it may take.'),
  budgets: budgetsSchema.default({}).describe('What a scenario that works may take; more is a failure.'),
});

/** A list without any would be a test that passes, whatever becomes of the unikernel. */
const scenariosSchema = z
  .array(scenarioSchema)
  .min(1, 'there is none; without the file the unikernel must boot and end well');

/** The JSON Schema of a list of scenarios as people write it. */
export function scenariosJsonSchema(): object {
  return z.toJSONSchema(scenariosSchema, { io: 'input' });
}

/** One test of a unikernel: how it is booted, what is done with it, and what must be seen. */
export type Scenario = z.output<typeof scenarioSchema>;
/** A {@link Scenario} as people write it: only `name` is required. */
export type ScenarioInput = z.input<typeof scenarioSchema>;
export type Text = z.output<typeof textSchema>;

/**
 * Checks scenarios that were read from a file or from a project's options and fills in what is left out.
 *
 * @param at  the file that they are from, for messages
 * @throws MachineFault MACHINE_BAD_SCENARIO with the path of the wrong value
 */
export function parseScenarios(value: unknown, at: string): readonly Scenario[] {
  const parsed = scenariosSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const path = (issue?.path ?? [])
      .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
      .join('');
    throw new MachineFault('MACHINE_BAD_SCENARIO', `scenarios${path}: ${issue?.message ?? 'not valid'}`, {
      at,
      hint: issue?.code === 'unrecognized_keys' && issue.path.length === 1 ? fieldHint(issue.keys) : undefined,
    });
  }
  const names = parsed.data.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return parsed.data;
  throw new MachineFault('MACHINE_BAD_SCENARIO', `two scenarios are named '${twice}'`, { at });
}

/** For a scenario's fields that there are not. */
function fieldHint([unknown = '']: readonly string[]): string {
  const known = Object.keys(scenarioSchema.shape);
  const nearest = nearestWord(unknown, known);
  return nearest === undefined ? `A scenario has ${known.join(', ')}.` : `Did you mean: ${nearest}`;
}

function doesNotThrow(read: (text: string) => unknown): (text: string) => boolean {
  return (text) => {
    try {
      read(text);
      return true;
    } catch {
      return false;
    }
  };
}
