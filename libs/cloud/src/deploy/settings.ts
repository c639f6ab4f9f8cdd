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
  name: name.optional(),
  metro: z.string().optional(),
  image: z
    .string()
    .regex(/^[a-z0-9._/-]+$/, 'a name without a registry, tag or digest')
    .optional(),
  registry: z.string().min(1).optional(),
  plainHttp: z.boolean().optional(),
  memory: amount.optional(),
  vcpus: z.int().min(1).optional(),
  args: z.array(z.string()).optional(),
  env: z.record(z.string(), z.string()).optional(),
  secrets: texts.optional(),
  ports: texts.optional(),
  domains: texts.optional(),
  certificates: texts.optional(),
  volumes: texts.optional(),
  replicas: z.int().min(1).optional(),
  restart: z.enum(restartPolicies).optional(),
  scaleToZero: z
    .strictObject({
      policy: z.enum(scaleToZeroPolicies).optional(),
      stateful: z.boolean().optional(),
      cooldown: z.int().min(0).optional(),
    })
    .optional(),
  rollout: z.enum(rollouts).optional(),
  rolloutWait: z.number().min(0).optional(),
  timeout: z.number().positive().optional(),
  history: z.int().min(0).optional(),
});

/** What a project says of its deployment; see the fields in the README of this room. */
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
    hint: 'libs/cloud/README.md has all fields.',
  });
}
