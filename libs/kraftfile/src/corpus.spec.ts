import { describe, expect, it } from 'vitest';
import { readCorpus } from '../test/corpus.ts';
import { read } from '../test/read.ts';
import { addTarget, removeTarget, setKconfig } from './edit.ts';
import { outputNames } from './outputs.ts';
import { specVersions } from './read-spec.ts';

const corpus = readCorpus();
const results = corpus.map((file) => ({ ...file, ...read(file.text) }));

/** Files that kraft cannot read either, or that are of a version that nobody defines; with why. */
const unreadable: Readonly<Record<string, string>> = {
  'cognisoc+unillm+Kraftfile@339395c.yaml': 'SPEC_UNSUPPORTED',
  'craciunoiuc+app-doom+kraft.yaml.yaml': 'SPEC_UNSUPPORTED',
  'unikraft+app-duktape+kraft.yaml@8209416.yaml': 'YAML_SYNTAX',
  'unikraft+catalog+tests+os-demo+Kraftfile.yaml': 'EMPTY',
  'unikraft+docs+content+docs+contributing+adding-to-the-app-catalog.mdx--block01.yaml': 'YAML_SYNTAX',
  'unikraft-cloud+x+kraftfile+parse_test.go--block21.yaml': 'SPEC_UNSUPPORTED',
};

/** Varied files: every version, every form of every key, every oddity that this corpus has. */
const reviewed = [
  'AstronautHQ+starter+Kraftfile@124e136.yaml',
  'BuonHobo+quorum_unikraft+Kraftfile@4ef33cb.yaml',
  'ERnsTL+flowd+Kraftfile.yaml',
  'FredrikBakken+app-flask+kraft.yaml.yaml',
  'Piyush2005-code+MiniOS+unikraft+Kraftfile.yaml',
  'SebastianRauch+app-flexos-3comptest+kraft.yaml.yaml',
  'TUM-DSE+morphos+Kraftfile@5e57985.yaml',
  'TUM-DSE+morphos+Kraftfile@cbc115a.yaml',
  'TUM-DSE+morphos+kraft.yaml@3dc068b.yaml',
  'authpole+authpole+Kraftfile.yaml',
  'astrynzha+unikraft_9p_measure+kraft.yaml.yaml',
  'cs-pub-ro+app-httpreply+kraft.yaml@91b59a8.yaml',
  'danbugs+hyperlight-unikraft+examples+python+kraft.yaml@f10bc90.yaml',
  'flapjack321+app-fping+kraft.yaml@6a1ccfa.yaml',
  'guillempuche+demo-openfga-in-unikraft+infrastructure+kraftcloud+caddy+Kraftfile.yaml',
  'jnfrati+boquita+Kraftfile.yaml',
  'kaizakin+uzu+Kraftfile.yaml',
  'milliwayz+unikart+Kraftfile.yaml',
  'nilhoel1+Unikraft_EmbeddedROS2+kraft.yaml.yaml',
  'noematic-eu+rag-agent+Kraftfile@b4c8a75.yaml',
  'obradovicsl+unikernel-test+Kraftfile.yaml',
  'parsimoni-labs+hacksat-starter+unikraft+Kraftfile.yaml',
  'pro-utkarshM+unikraft_benchmark+benchmark-tcp+kraft.yaml@c17efa6.yaml',
  'rizo+unikraft-libxml2+Kraftfile.yaml',
  'unikraft+app-httpreply+kraft.cloud.yaml.yaml',
  'unikraft+app-lua+kraft.yaml@328befd.yaml',
  'unikraft+app-sqlite+kraft.yaml@0d25ca8.yaml',
  'unikraft+app-wamr+kraft.yaml@1dfec96.yaml',
  'unikraft+app-wamr+kraft.yaml@80f0237.yaml',
  'unikraft+catalog+library+base+Kraftfile@e457777.yaml',
  'unikraft+catalog+library+lua+5.4+Kraftfile.yaml',
  'unikraft+docs+content+docs+cli+reference+kraftfile+v0.5.mdx--block05.yaml',
  'unikraft+docs+content+docs+cli+reference+kraftfile+v0.6.mdx--block07.yaml',
  'unikraft+docs+content+docs+cli+reference+kraftfile+v0.6.mdx--block28.yaml',
  'unikraft+docs+content+docs+cli+reference+kraftfile+v0.6.mdx--block32.yaml',
  'unikraft+docs+content+docs+cli+reference+kraftfile+v0.6.mdx--block34.yaml',
  'unikraft-cloud+x+kraftfile+parse_test.go--block09.yaml',
  'unikraft-cloud+x+kraftfile+parse_test.go--block14.yaml',
  'unikraft-cloud+x+kraftfile+parse_test.go--block15.yaml',
  'unikraft-cloud+x+kraftfile+schema.md--block17.yaml',
  'unikraft-cloud+x+kraftfile+schema.md--block20.yaml',
  'unikraft-cloud+x+kraftfile+schema.md--block36.yaml',
  'unikraft-cloud+x+kraftfile+schema.md--block37.yaml',
];

describe('every file of the corpus', () => {
  it('has a model, but for those that mean nothing', () => {
    const without = results.filter(({ kraftfile }) => kraftfile === undefined);
    const reasons = without.map(({ name, diagnostics }) => [
      name,
      diagnostics.find((d) => d.severity === 'error')?.code,
    ]);
    expect(Object.fromEntries(reasons)).toEqual(unreadable);
  });

  it('has a model that is plain JSON, has unique safe ids and known words, and keeps to its folder', () => {
    for (const { name, kraftfile } of results) {
      if (kraftfile === undefined) continue;
      expect(JSON.parse(JSON.stringify(kraftfile)), name).toEqual(kraftfile);
      expect(specVersions, name).toContain(kraftfile.spec);
      expect(kraftfile.name, name).not.toBe('');
      const ids = kraftfile.targets.map(({ id }) => id);
      expect(new Set(ids).size, name).toBe(ids.length);
      for (const id of ids) expect(id, name).toMatch(/^\w+-\w+(-[\w.-]+)?$/);
      const kernels = kraftfile.targets.map((target) => outputNames(kraftfile, target).kernel);
      expect(new Set(kernels).size, name).toBe(kernels.length);
      const everyKconfig = [
        kraftfile.unikraft?.kconfig ?? {},
        kraftfile.kconfig,
        ...kraftfile.libraries.map((library) => library.kconfig),
        ...kraftfile.targets.map((target) => target.kconfig),
      ];
      for (const [symbol, value] of everyKconfig.flatMap((kconfig) => Object.entries(kconfig))) {
        expect(symbol, name).toMatch(/^\w+$/);
        expect(value, name).not.toMatch(/^["']|["']$|^true$|^false$/);
      }
    }
  });

  it('has diagnostics that point into it', () => {
    for (const { name, text, diagnostics } of results) {
      const lines = text.split('\n');
      for (const { line, column, source, message } of diagnostics) {
        expect(line, name).toBeGreaterThan(0);
        expect(lines[line - 1]?.replace(/\r$/, '').slice(0, 200) ?? '', name).toBe(source);
        expect(column, `${name}: ${message}`).toBeLessThanOrEqual((lines[line - 1] ?? '').length + 1);
      }
    }
  });

  it('has a place for every option and target', () => {
    for (const { name, text, kraftfile, positionOf } of results) {
      const lines = text.split('\n');
      const at = (path: (string | number)[]): string => lines[positionOf(path).line - 1] ?? '';
      for (const symbol of Object.keys(kraftfile?.unikraft?.kconfig ?? {})) {
        expect(at(['unikraft', 'kconfig', symbol]), name).toContain(symbol);
      }
      for (const [index, library] of (kraftfile?.libraries ?? []).entries()) {
        expect(at(['libraries', index]), name).toContain(library.name);
        for (const symbol of Object.keys(library.kconfig)) {
          expect(at(['libraries', index, 'kconfig', symbol]), name).toContain(symbol);
        }
      }
      for (const index of (kraftfile?.targets ?? []).keys())
        expect(positionOf(['targets', index]).line).toBeGreaterThan(1);
    }
  });

  it('is byte for byte the same when nothing is changed, and when a change is taken back', () => {
    for (const { name, text, kraftfile } of results) {
      if (kraftfile === undefined) continue;
      const [option] = Object.entries(kraftfile.unikraft?.kconfig ?? {});
      if (option !== undefined && !/[=" ]/.test(option[1])) {
        expect(setKconfig(text, 'unikraft', ...option), name).toBe(text);
      }
      if (kraftfile.targets.length > 0 && !text.includes('\nplatforms:')) {
        const target = { platform: 'xen', architecture: 'arm', name: 'another' };
        const changed = addTarget(text, target);
        const id = read(changed).kraftfile?.targets.at(-1)?.id ?? '';
        expect(removeTarget(changed, id), name).toBe(text);
      }
    }
  });
});

describe('what the reviewed files say', () => {
  it.each(reviewed)('%s', (name) => {
    const result = results.find((file) => file.name === name);
    const diagnostics = result?.diagnostics.map(
      ({ line, column, severity, code, message }) => `${line}:${column} ${severity} ${code}: ${message}`,
    );
    expect({ kraftfile: result?.kraftfile, diagnostics }).toMatchSnapshot();
  });
});
