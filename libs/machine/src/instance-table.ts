import { basename } from 'node:path';
import type { Instance } from './instance.ts';
import { formatPort } from './ports.ts';

/** Instances as a table with a heading, in the columns of `kraft ps`. */
export function formatInstances(instances: readonly Instance[], now: Date = new Date()): string {
  const rows = instances.map((instance) => [
    instance.name,
    basename(instance.plan.kernel),
    (instance.plan.args ?? []).join(' '),
    `${formatAge(now.getTime() - Date.parse(instance.createdAt))} ago`,
    formatState(instance),
    String(instance.plan.memory ?? '64Mi'),
    instance.state === 'running' ? (instance.ports ?? []).map(formatArrow).join(', ') : '',
    `${instance.plan.platform}/${instance.plan.architecture}`,
  ]);
  const table = [['NAME', 'KERNEL', 'ARGS', 'CREATED', 'STATUS', 'MEM', 'PORTS', 'PLAT'], ...rows];
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  return table
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function formatState({ state, end }: Instance): string {
  return state === 'exited' && end !== undefined ? `exited (${end.exitCode}, ${end.reason})` : state;
}

/** `0.0.0.0:8080->80/tcp`, as kraft and Docker show a port. */
function formatArrow(port: Parameters<typeof formatPort>[0]): string {
  return formatPort(port).replace(/:(\d+\/)/, '->$1');
}

function formatAge(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}
