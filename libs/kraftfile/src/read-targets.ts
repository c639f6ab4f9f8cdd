import type { Kconfig, Target } from './model.ts';
import { nearestWord } from '@nx-kraft/base';
import { readKconfig } from './read-kconfig.ts';
import type { Reading } from './reading.ts';
import { safeName } from './safe-name.ts';
import type { Entry, Value } from './tree.ts';
import { architectureAliases, architectures, platforms } from './words.ts';

type At = NonNullable<Value>;

/** More targets than any file has; further ones are not read. */
const most = 500;

interface Draft {
  readonly at: At;
  readonly ownName: string | undefined;
  readonly platform: string;
  readonly architecture: string;
  readonly kconfig: Kconfig;
}

/** Reads `targets`, or the `architectures` and `platforms` of old files, and gives each target its id. */
export function readTargets(reading: Reading, top: ReadonlyMap<string, Entry>, projectName: string): readonly Target[] {
  const targets = top.get('targets');
  const drafts =
    targets === undefined
      ? readTrees(reading, top.get('architectures'), top.get('platforms'))
      : readList(reading, targets.value);
  const ids = identify(reading, drafts, projectName);
  return drafts.map((draft, index) => ({
    id: ids[index] ?? '',
    name: draft.ownName ?? projectName,
    platform: draft.platform,
    architecture: draft.architecture,
    kconfig: draft.kconfig,
  }));
}

function readList(reading: Reading, value: Value | undefined): readonly Draft[] {
  const drafts: Draft[] = [];
  const known = new Set<string>();
  for (const item of reading.items(value)) {
    const draft = item === undefined || drafts.length >= most ? undefined : readTarget(reading, item, drafts.length);
    if (draft === undefined) continue;
    const sameness = JSON.stringify([draft.platform, draft.architecture, draft.ownName, draft.kconfig]);
    if (known.has(sameness)) {
      const message = `${draft.platform}/${draft.architecture} is listed already, and is built only once`;
      reading.warn('TARGET_REPEATED', draft.at, message);
      continue;
    }
    known.add(sameness);
    drafts.push(draft);
  }
  return drafts;
}

function readTarget(reading: Reading, item: At, index: number): Draft | undefined {
  const path = ['targets', index];
  reading.place(path, item);
  const text = reading.text(item);
  if (text !== undefined) {
    const slash = text.indexOf('/');
    if (slash === -1) {
      reading.error('TARGET_FORM', item, `'${text}' does not say for which platform and architecture`, {
        expected: 'platform/architecture, such as qemu/x86_64',
        ...suggestTarget(text),
      });
      return undefined;
    }
    return finish(reading, { at: item, name: undefined, kconfig: {} }, [
      { text: text.slice(0, slash), at: item },
      { text: text.slice(slash + 1), at: item },
    ]);
  }
  const fields = new Map(reading.entries(item).map((entry) => [entry.key, entry.value]));
  const keys = reading.family === 'legacy' ? (['platform', 'plat'] as const) : (['plat', 'platform'] as const);
  const platformValue = fields.get(keys[0]) ?? fields.get(keys[1]);
  const architectureValue = fields.get('architecture') ?? fields.get('arch');
  const platform = reading.text(platformValue);
  const slash = platform?.indexOf('/') ?? -1;
  const architecture = reading.text(architectureValue) ?? (slash === -1 ? undefined : platform?.slice(slash + 1));
  if (platformValue !== undefined) reading.place([...path, 'platform'], platformValue);
  const architectureAt = architectureValue ?? platformValue;
  if (architectureAt !== undefined) reading.place([...path, 'architecture'], architectureAt);
  return finish(
    reading,
    {
      at: item,
      name: reading.text(fields.get('name')) ?? reading.text(fields.get('kernel')),
      kconfig: readKconfig(reading, fields.get('kconfig'), [...path, 'kconfig']),
    },
    [
      { text: slash === -1 ? platform : platform?.slice(0, slash), at: platformValue ?? item },
      { text: architecture, at: architectureAt ?? item },
    ],
  );
}

interface Word {
  readonly text: string | undefined;
  readonly at: At;
}

function finish(
  reading: Reading,
  { at, name, kconfig }: { at: At; name: string | undefined; kconfig: Kconfig },
  [platform, architecture]: readonly [Word, Word],
): Draft | undefined {
  if (platform.text === undefined || platform.text === '') {
    reading.error('PLATFORM_MISSING', at, 'A target needs a platform', { expected: knownPlatforms() });
  }
  if (architecture.text === undefined || architecture.text === '') {
    reading.error('ARCHITECTURE_MISSING', at, 'A target needs an architecture', { expected: architectures.join(', ') });
  }
  if (!platform.text || !architecture.text) return undefined;
  return {
    at,
    ownName: name,
    platform: canonicalPlatform(reading, platform.text, platform.at),
    architecture: canonicalArchitecture(reading, architecture.text, architecture.at),
    kconfig,
  };
}

function canonicalPlatform(reading: Reading, text: string, at: At): string {
  if (Object.hasOwn(platforms, text)) return platforms[text] ?? text;
  const suggestion = nearestWord(text, Object.keys(platforms));
  reading.warn('PLATFORM_UNKNOWN', at, `Unikraft's own build knows no platform '${text}'`, {
    expected: knownPlatforms(),
    ...(suggestion === undefined ? {} : { suggestion }),
  });
  return text;
}

function canonicalArchitecture(reading: Reading, text: string, at: At): string {
  if ((architectures as readonly string[]).includes(text)) return text;
  const canonical = Object.hasOwn(architectureAliases, text) ? architectureAliases[text] : undefined;
  if (canonical !== undefined) {
    reading.warn('ARCHITECTURE_ALIAS', at, `'${text}' is read as ${canonical}; kraft does not know the word`, {
      expected: architectures.join(', '),
      suggestion: canonical,
    });
    return canonical;
  }
  const suggestion = nearestWord(text, [...architectures, ...Object.keys(architectureAliases)]);
  reading.warn('ARCHITECTURE_UNKNOWN', at, `Unikraft knows no architecture '${text}'`, {
    expected: architectures.join(', '),
    ...(suggestion === undefined ? {} : { suggestion: architectureAliases[suggestion] ?? suggestion }),
  });
  return text;
}

function knownPlatforms(): string {
  return Object.keys(platforms).join(', ');
}

function suggestTarget(text: string): { suggestion?: string } {
  const [platform = '', architecture = 'x86_64'] = text.split(/[-:, ]+/);
  const known = nearestWord(platform, Object.keys(platforms));
  if (known === undefined) return {};
  return { suggestion: `${known}/${nearestWord(architecture, architectures) ?? 'x86_64'}` };
}

/**
 * The targets of files before v0.5, which list architectures and platforms in two mappings: each platform with each
 * architecture. kraft itself no longer reads them.
 */
function readTrees(
  reading: Reading,
  architectureTree: Entry | undefined,
  platformTree: Entry | undefined,
): readonly Draft[] {
  if (architectureTree === undefined || platformTree === undefined) return [];
  const chosen = (tree: Entry): readonly Entry[] =>
    reading.entries(tree.value).filter((entry) => reading.bareBoolean(entry.value) !== false);
  const drafts: Draft[] = [];
  for (const platform of chosen(platformTree)) {
    for (const architecture of chosen(architectureTree)) {
      if (drafts.length >= most) return drafts;
      const path = ['targets', drafts.length];
      reading.place(path, platform.keyNode);
      reading.place([...path, 'architecture'], architecture.keyNode);
      const kconfigOf = (entry: Entry): Kconfig =>
        readKconfig(reading, reading.entries(entry.value).find((field) => field.key === 'kconfig')?.value, [
          ...path,
          'kconfig',
        ]);
      const draft = finish(
        reading,
        {
          at: platform.keyNode,
          name: undefined,
          kconfig: { ...kconfigOf(architecture), ...kconfigOf(platform) },
        },
        [
          { text: platform.key, at: platform.keyNode },
          { text: architecture.key, at: architecture.keyNode },
        ],
      );
      if (draft !== undefined) drafts.push(draft);
    }
  }
  if (drafts.length > 0) {
    reading.warn(
      'NOT_READ_BY_KRAFT',
      platformTree.keyNode,
      'kraft reads targets instead of architectures and platforms',
      {
        expected: 'targets',
        hint: `Write targets: [${drafts.map((draft) => `${draft.platform}/${draft.architecture}`).join(', ')}].`,
      },
    );
  }
  return drafts;
}

/** Gives each target its id: see {@link Target.id}. */
function identify(reading: Reading, drafts: readonly Draft[], projectName: string): readonly string[] {
  const base = (draft: Draft): string => safeName(`${draft.platform}-${draft.architecture}`);
  const counts = new Map<string, number>();
  for (const draft of drafts) counts.set(base(draft), (counts.get(base(draft)) ?? 0) + 1);
  const taken = new Set<string>();
  return drafts.map((draft) => {
    const isShared = (counts.get(base(draft)) ?? 0) > 1;
    const isNamed = draft.ownName !== undefined && draft.ownName !== projectName;
    const wanted = isShared && isNamed ? `${base(draft)}-${safeName(draft.ownName)}` : base(draft);
    let id = wanted;
    for (let number = 2; taken.has(id.toLowerCase()); number++) id = `${wanted}-${number}`;
    taken.add(id.toLowerCase());
    if (id !== wanted) {
      reading.warn('TARGET_AMBIGUOUS', draft.at, `This target is called ${id}, since another one is ${wanted}`, {
        hint: 'Give each of them a name of its own, so that kraft does not write both to one file.',
      });
    }
    return id;
  });
}
