import { z } from 'zod';
import { CloudFault } from '../fault.ts';
import { restartPolicies, scaleToZeroPolicies } from '../shapes.ts';
import { rollouts } from './plan.ts';

const name = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, 'small letters, digits and hyphens')
  .max(50);
const texts = z.array(z.string().min(1));
const amount = z.union([z.int().min(1).transform(String), z.string()]);

const shape = z.strictObject({
  $schema: z.string().optional(),
  name: name.optional().describe("Under which name it runs. Default: the Kraftfile's."),
  metro: z.string().optional().describe('Where: `fra0`, `fra` or a URL. Default: UKC_METRO in the environment.'),
  image: z
    .string()
    .regex(/^[a-z0-9._/-]+$/, 'a name without a registry, tag or digest')
    .optional()
    .describe("The image's `<account>/<name>`."),
  registry: z.string().min(1).optional().describe('Where the image goes. Default: `index.unikraft.io`.'),
  plainHttp: z.boolean().optional().describe('For a registry without TLS.'),
  memory: amount
    .optional()
    .describe('`256`, `"256Mi"` or `"1Gi"`. Default: 1.1 times the image, 128 MiB at the least.'),
  vcpus: z.int().min(1).optional().describe('Virtual processors. Default: 1.'),
  args: z.array(z.string()).optional().describe("Arguments instead of the image's own."),
  env: z.record(z.string(), z.string()).optional().describe("Variables instead of the image's own."),
  secrets: texts
    .optional()
    .describe('Names of variables of the environment that instances get; their values are in no file.'),
  ports: texts.optional().describe('`"443:8080"`, `"5432:5432/tls"`, `"80:443/http+redirect"`.'),
  domains: texts.optional().describe(`\`"app"\` below the metro's domain, \`"www.example.com"\` as it is.`),
  certificates: texts.optional().describe('Names or UUIDs, in the order of the domains.'),
  volumes: texts.optional().describe('`"data:/data"` or `"data:/data:ro"`.'),
  replicas: z.int().min(1).optional().describe('How many instances serve. Default: 1.'),
  restart: z.enum(restartPolicies).optional().describe('When an instance that has ended is started again.'),
  scaleToZero: z
    .strictObject({
      policy: z.enum(scaleToZeroPolicies).optional(),
      stateful: z.boolean().optional().describe('Whether memory is kept meanwhile.'),
      cooldown: z.int().min(0).optional().describe('Milliseconds without work before it sleeps.'),
    })
    .optional()
    .describe("Whether instances without work sleep. Default: the image's labels of kraft."),
  rollout: z.enum(rollouts).optional().describe('What becomes of the instances that served before. Default: stop.'),
  rolloutWait: z
    .number()
    .min(0)
    .optional()
    .describe('Seconds that new instances must run before the old ones stop. Default: 10.'),
  timeout: z.number().positive().optional().describe('Seconds until they must run. Default: 60.'),
  history: z.int().min(0).optional().describe('How many earlier versions wait, stopped, for a rollback. Default: 1.'),
});

/** The JSON Schema of a deployment's settings as people write them. */
export function settingsJsonSchema(): object {
  return z.toJSONSchema(shape, { io: 'input' });
}

/** What a project says of its deployment; the fields are described where they are checked. */
export type Settings = z.infer<typeof shape>;

/**
 * Reads the settings of a deployment.
 *
 * @param file  for messages
 * @throws CloudFault CLOUD_BAD_INPUT with all that is wrong
 */
export function parseSettings(text: string, file: string): Settings {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new CloudFault('CLOUD_BAD_INPUT', `it is no JSON: ${cause instanceof Error ? cause.message : ''}`, {
      at: file,
      cause,
    });
  }
  return checkSettings(json, file);
}

/**
 * Checks settings of a deployment that are there as data.
 *
 * @param at  where they come from, for messages
 * @throws CloudFault CLOUD_BAD_INPUT with all that is wrong
 */
export function checkSettings(settings: unknown, at: string): Settings {
  const { data, error } = shape.safeParse(settings);
  if (data !== undefined) return data;
  const lines = error.issues.map(({ path, message }) => `${path.join('.') || 'all of it'}: ${message}`);
  throw new CloudFault('CLOUD_BAD_INPUT', lines.join('\n'), {
    at,
    hint: 'docs/reference/kraft-deploy-json.md has all fields.',
  });
}
