import { formatCommandLine } from './command-line.ts';
import type { MachinePlan } from './machine.ts';
import { parseMemory, toMebibytes } from './memory.ts';

/**
 * The text of a configuration for Xen's `xl create` (xl.cfg(5)): a paravirtualised guest that is gone when it has ended,
 * however it did.
 */
export function formatXlConfiguration(plan: MachinePlan & { readonly name: string }): string {
  const memory = typeof plan.memory === 'number' ? plan.memory : parseMemory(plan.memory ?? '64Mi');
  const extra = formatCommandLine({
    kernelArguments: plan.kernelArgs ?? [],
    addresses: plan.addresses ?? [],
    mounts: plan.mounts ?? [],
    environment: plan.env ?? {},
    arguments: plan.args ?? [],
  });
  const interfaces = (plan.interfaces ?? []).map(({ mac, bridge }) => quote(`mac=${mac},bridge=${bridge}`));
  return [
    `name = ${quote(plan.name)}`,
    'type = "pv"',
    `kernel = ${quote(plan.kernel)}`,
    ...(plan.initrd === undefined ? [] : [`ramdisk = ${quote(plan.initrd)}`]),
    ...(extra === '' ? [] : [`extra = ${quote(extra)}`]),
    `memory = ${toMebibytes(memory)}`,
    `vcpus = ${plan.cpus ?? 1}`,
    ...(interfaces.length === 0 ? [] : [`vif = [ ${interfaces.join(', ')} ]`]),
    ...['on_poweroff', 'on_reboot', 'on_crash'].map((event) => `${event} = "destroy"`),
    '',
  ].join('\n');
}

/** xl reads backslashes within quotes as C does. */
function quote(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}
