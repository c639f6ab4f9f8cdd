import { createHash } from 'node:crypto';
import spdxIds from 'spdx-license-ids/index.json' with { type: 'json' };
import type { Attachment } from '../attachments.ts';

/** Something that an image is made of. */
export interface Component {
  readonly name: string;
  readonly version?: string;
  /** A library of the kernel, or a package of the root filesystem. */
  readonly kind: 'library' | 'package';
  /** Where it comes from and how it is named there (package-url), such as `pkg:deb/debian/libc6@2.36`. */
  readonly purl?: string;
  /** Commit of its sources. */
  readonly commit?: string;
  /** Where its sources are. */
  readonly url?: string;
  /** SPDX expression, or a licence's name. */
  readonly licence?: string;
}

export interface SbomPlan {
  /** Name of the image. */
  readonly name: string;
  readonly version: string;
  readonly components: readonly Component[];
  readonly toolVersion: string;
  /** Seconds since 1970 (default 0). */
  readonly created?: number;
}

export const sbomType = 'application/vnd.cyclonedx+json';

/** A list of components as CycloneDX 1.6; the same plan gives the same bytes, whatever the order. */
export function sbomAttachment(plan: SbomPlan): Attachment {
  const components = plan.components.map(describe).toSorted((a, b) => (a['bom-ref'] < b['bom-ref'] ? -1 : 1));
  const content = {
    metadata: {
      timestamp: new Date((plan.created ?? 0) * 1000).toISOString(),
      tools: { components: [{ type: 'application', name: 'nx-kraft', version: plan.toolVersion }] },
      component: { type: 'operating-system', 'bom-ref': 'image', name: plan.name, version: plan.version },
    },
    components,
    dependencies: [{ ref: 'image', dependsOn: components.map((component) => component['bom-ref']) }],
  };
  const header = { bomFormat: 'CycloneDX', specVersion: '1.6', serialNumber: serialOf(content), version: 1 };
  return { artifactType: sbomType, content: Buffer.from(JSON.stringify({ ...header, ...content })) };
}

function describe(component: Component) {
  const { name, version, kind, purl, commit, url, licence } = component;
  const properties = commit === undefined ? [] : [{ name: 'nx-kraft:commit', value: commit }];
  return {
    type: 'library',
    'bom-ref': `${kind}:${purl ?? `${name}@${version ?? commit ?? ''}`}`,
    name,
    ...(version === undefined && commit === undefined ? {} : { version: version ?? commit }),
    ...(licence === undefined ? {} : { licenses: [licenceOf(licence)] }),
    ...(purl === undefined ? {} : { purl }),
    ...(url === undefined ? {} : { externalReferences: [{ type: 'vcs', url }] }),
    properties: [{ name: 'nx-kraft:kind', value: kind }, ...properties],
  };
}

const spdx = new Set(spdxIds);

/** One of SPDX's list, an expression of several of these, or a name that is no more than that. */
function licenceOf(licence: string) {
  if (spdx.has(licence)) return { license: { id: licence } };
  const words = licence.split(/[\s()]+/).filter((word) => word !== '');
  const isName = (word: string) => spdx.has(word.replace(/\+$/, '')) || /^LicenseRef-[\w.-]+$/.test(word);
  const alternates = words.every((word, index) =>
    index % 2 === 0 ? isName(word) || words[index - 1] === 'WITH' : ['AND', 'OR', 'WITH'].includes(word),
  );
  return words.length % 2 === 1 && alternates ? { expression: licence } : { license: { name: licence } };
}

/** A UUID out of the content (RFC 9562, version 8): a random one would make every list another. */
function serialOf(content: object): string {
  const bytes = createHash('sha256').update(JSON.stringify(content)).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)];
  return `urn:uuid:${parts.join('-')}`;
}
