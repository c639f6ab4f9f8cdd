import { basename } from 'node:path';
import type { Instance } from './instance.ts';
import { formatPort } from './ports.ts';

type Column = readonly [heading: string, cell: (instance: Instance, now: Date) => string];

const columns: Readonly<Record<string, Column>> = {
  id: ['ID', ({ id }) => id],
  name: ['NAME', ({ name }) => name],
  kernel: ['KERNEL', ({ plan }) => basename(plan.kernel)],
  args: ['ARGS', ({ plan }) => (plan.args ?? []).join(' ')],
  created: ['CREATED', ({ createdAt }, now) => `${formatAge(now.getTime() - Date.parse(createdAt))} ago`],
  status: ['STATUS', formatState],
  memory: ['MEM', ({ plan }) => String(plan.memory ?? '64Mi')],
  ports: ['PORTS', (instance) => (isActive(instance) ? (instance.ports ?? []).map(formatArrow).join(', ') : '')],
  addresses: ['IP', (instance) => (isActive(instance) ? (instance.addresses ?? []).join(', ') : '')],
  pid: ['PID', (instance) => (isActive(instance) ? String(instance.pid ?? '') : '')],
  platform: ['PLAT', ({ plan }) => `${plan.platform}/${plan.architecture}`],
};

const shortColumns = ['name', 'kernel', 'args', 'created', 'status', 'memory', 'ports', 'platform'];

/** Whether a machine is there to be reached: it runs, or is paused. */
export function isActive(instance: Instance | undefined): instance is Instance {
  return instance?.state === 'running' || instance?.state === 'paused';
}

/** Instances as a table with a heading, in the columns of `kraft ps`; `long` shows also ids, addresses and processes. */
export function formatInstances(instances: readonly Instance[], { now = new Date(), long = false } = {}): string {
  const shown = Object.entries(columns).flatMap(([key, column]) =>
    long || shortColumns.includes(key) ? [column] : [],
  );
  return formatRows([
    shown.map(([heading]) => heading),
    ...instances.map((instance) => shown.map(([, cell]) => cell(instance, now))),
  ]);
}

/** Rows of cells with their columns below each other. */
export function formatRows(table: readonly (readonly string[])[]): string {
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  return table.map((row) => line(row).trimEnd()).join('\n');
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
