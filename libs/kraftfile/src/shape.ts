import { z, type ZodType } from 'zod';
import type { Family } from './reading.ts';
import { architectureAliases, architectures, filesystemFormats, filesystemSourceTypes, platforms } from './words.ts';

const shapes = new Map<Family, ZodType>();

/**
 * What a Kraftfile of a family may look like: the one definition that the reader checks with and that the JSON Schema
 * for editors is made from. Unknown keys are allowed everywhere; forms that kraft refuses although their meaning is
 * clear are allowed too, and warned of elsewhere.
 */
export function shapeOf(family: Family): ZodType {
  let shape = shapes.get(family);
  if (shape === undefined) {
    shape = buildShape(family);
    shapes.set(family, shape);
  }
  return shape;
}

function buildShape(family: Family): ZodType {
  const isLegacy = family === 'legacy';
  const scalar = z.union([z.string(), z.number(), z.boolean()]);
  /** A word out of a list that editors can complete, though others are let through. */
  const word = (words: readonly string[], form: RegExp): ZodType => z.union([z.enum(words), z.string().regex(form)]);
  const platform = word(Object.keys(platforms), /^[^/]/).optional();
  const architecture = word([...architectures, ...Object.keys(architectureAliases)], /./).optional();

  const kconfig = z
    .union([
      z.record(z.string(), isLegacy ? scalar : scalar.nullable()),
      z.array(isLegacy ? z.string().regex(/=/, 'KEY=value') : z.string()),
    ])
    .nullish()
    .meta({
      description: 'KConfig options: a mapping of CONFIG_… to y, n, a number or a text, or a list of CONFIG_…=value.',
    });
  const version = scalar
    .nullish()
    .meta({ description: 'A channel (stable, staging), a release, a branch, a tag or a commit.' });
  const source = z.string().nullish().meta({ description: 'A git URL, the URL of a tarball, or a folder.' });
  const component = z.union([z.string(), z.number(), z.looseObject({ source, version, kconfig })]);

  const target = z.union([
    z
      .string()
      .regex(/^[^/]+\/./, 'platform/architecture')
      .meta({
        description: 'platform/architecture',
        examples: Object.keys(platforms).flatMap((platform) =>
          architectures.map((architecture) => `${platform}/${architecture}`),
        ),
      }),
    z
      .looseObject({
        name: scalar.nullish().meta({ description: "The target's own name; the project's by default." }),
        platform: platform.meta({ description: 'Where the unikernel runs.' }),
        plat: platform.meta({ description: 'Short for platform.' }),
        architecture: architecture.meta({ description: 'What it runs on.' }),
        arch: architecture.meta({ description: 'Short for architecture.' }),
        kconfig,
      })
      .meta({
        allOf: [
          { anyOf: [{ required: ['platform'] }, { required: ['plat'] }] },
          {
            anyOf: [
              { required: ['architecture'] },
              { required: ['arch'] },
              { required: ['platform'], properties: { platform: { pattern: '/.' } } },
              { required: ['plat'], properties: { plat: { pattern: '/.' } } },
            ],
          },
        ],
      }),
  ]);

  const sourceType = z
    .enum(filesystemSourceTypes)
    .nullish()
    .meta({ description: 'What the source is; found out from the source by default.' });
  const sourcePath = z.string().nullish().meta({ description: "A path; the Dockerfile's context." });
  const filesystem = z.union([
    z.string(),
    z.looseObject({
      source: z.union([
        z.string(),
        z.looseObject({
          path: sourcePath,
          dockerfile: z.string().meta({ description: 'The Dockerfile, relative to path.' }),
          type: z.literal('dockerfile').nullish(),
        }),
        z.looseObject({ path: sourcePath, dockerfile: z.null().optional(), type: sourceType }),
      ]),
      format: z.enum(filesystemFormats).nullish().meta({ description: 'What to make of it.' }),
      type: isLegacy
        ? z.enum(filesystemSourceTypes).nullish().meta({ description: 'cpio or erofs: what to make of it.' })
        : sourceType,
    }),
  ]);

  const volumeSource = z.string().meta({ description: 'A path on the host.' });
  const volumeDestination = z.string().meta({ description: 'A path in the unikernel.' });
  const volume = z.looseObject({
    source: volumeSource.nullish(),
    destination: volumeDestination.nullish(),
    driver: z.string().nullish().meta({ description: 'The file system, such as 9pfs or initrd.' }),
    mode: scalar.nullish(),
    readonly: z.boolean().nullish(),
    readOnly: z.boolean().nullish(),
  });
  const strings = z.union([z.record(z.string(), scalar.nullable()), z.array(z.string())]).nullish();
  const tree = z
    .record(z.string(), z.union([z.boolean(), z.string(), z.looseObject({ kconfig })]).nullable())
    .nullish();
  const spec = z
    .union([
      z.enum(isLegacy ? ['v0.6', 'v0.5', 'v0.4'] : ['v0.7']),
      z.string().regex(isLegacy ? /^v?0\.[456](\.\d+)?$/ : /^v?0\.7(\.\d+)?$/),
      z.literal(isLegacy ? [0.4, 0.5, 0.6] : [0.7]),
    ])
    .optional()
    .meta({ description: 'The version of the specification.' });

  return z.looseObject({
    spec,
    specification: spec.meta({ description: 'The long form of spec.' }),
    name: scalar.nullish().meta({ description: "The unikernel's name; the folder's by default." }),
    unikraft: component.nullish().meta({ description: "Unikraft's core, to build a kernel from source." }),
    libraries: z
      .record(z.string(), component.nullable())
      .nullish()
      .meta({ description: 'Libraries to build into the kernel, by name.' }),
    template: z
      .union([z.string(), z.looseObject({ name: z.string().nullish(), source, version, kconfig })])
      .nullish()
      .meta({ description: 'A repository whose Kraftfile this one completes.' }),
    runtime: z
      .union([z.string(), z.looseObject({ source, version, kconfig })])
      .nullish()
      .meta({ description: 'A prebuilt kernel: an OCI image, such as base:latest.' }),
    rootfs: filesystem
      .nullish()
      .meta({ description: 'The root filesystem: a Dockerfile, folder, archive or OCI image.' }),
    roms: z.array(filesystem.nullable()).nullish().meta({ description: 'Further read-only images.' }),
    volumes: z
      .union([
        z.string(),
        z.array(z.union([z.string(), volume]).nullable()),
        volume.extend({ source: volumeSource }),
        volume.extend({ destination: volumeDestination }),
        z.record(z.string(), volume.nullable()),
      ])
      .nullish()
      .meta({ description: 'Mounts at run time: host:guest, or mappings.' }),
    cmd: z
      .union([z.string(), z.array(scalar)])
      .nullish()
      .meta({ description: 'Arguments of the unikernel, one per item.' }),
    env: strings.meta({ description: 'Environment of the unikernel.' }),
    labels: strings.meta({ description: 'Labels of the package.' }),
    targets: z.array(target.nullable()).nullish().meta({ description: 'Platforms and architectures to build for.' }),
    outdir: z.string().nullish().meta({ description: 'The build folder.', default: '.unikraft/build' }),
    kconfig,
    ...(isLegacy ? { architectures: tree, platforms: tree } : {}),
  });
}
