import type { Platform } from './model.ts';
import type { LayerWriter, TargetParts } from './package-target.ts';

const prefix = 'com.urunc.unikernel.';

/** Names that urunc has for the machines that it starts. */
const hypervisors: Readonly<Record<string, string>> = { qemu: 'qemu', fc: 'firecracker' };
const containerArchitectures: Readonly<Record<string, string>> = { x86_64: 'amd64', arm64: 'arm64' };

/**
 * For each architecture a container image of the first target that urunc can start, on the same layers: containerd and
 * Kubernetes look for `linux/amd64` or `linux/arm64`. What urunc must know stands in `/urunc.json`, its values in
 * base64, and as annotations, which not every way to it keeps. `kraft` passes these manifests over.
 */
export async function uruncTargets(
  targets: readonly TargetParts[],
  layers: LayerWriter,
): Promise<readonly TargetParts[]> {
  const containers = new Map<string, TargetParts>();
  for (const target of targets) {
    const architecture = containerArchitectures[target.platform.architecture];
    const hypervisor = hypervisors[target.platform.os];
    if (architecture === undefined || hypervisor === undefined || containers.has(architecture)) continue;
    const annotations = describe(target, hypervisor);
    const encoded = Object.entries(annotations).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
    const content = Buffer.from(JSON.stringify(Object.fromEntries(encoded)));
    const description = await layers.write({ content, target: 'urunc.json', mode: 0o644 });
    const platform: Platform = { architecture, os: 'linux' };
    containers.set(architecture, { ...target, platform, layers: [...target.layers, description], annotations });
  }
  return [...containers.values()];
}

function describe({ platform, config, layers }: TargetParts, hypervisor: string): Record<string, string> {
  const hasInitrd = layers.some((layer) => Object.values(layer.descriptor.annotations ?? {}).includes(initrdPath));
  return {
    [`${prefix}binary`]: '/unikraft/bin/kernel',
    [`${prefix}cmdline`]: (config.Cmd ?? []).map(quote).join(' '),
    [`${prefix}hypervisor`]: hypervisor,
    ...(hasInitrd ? { [`${prefix}initrd`]: initrdPath } : {}),
    [`${prefix}unikernelType`]: 'unikraft',
    // It compares versions, and knows none with a commit.
    [`${prefix}unikernelVersion`]: (platform['os.version'] ?? '').replace(/[~+-].*/, ''),
    [`${prefix}useDMBlock`]: 'false',
  };
}

const initrdPath = '/unikraft/bin/initrd';

/** Unikraft's parser of command lines takes double quotes. */
function quote(argument: string): string {
  return /\s/.test(argument) ? `"${argument}"` : argument;
}
