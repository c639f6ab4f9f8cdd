#!/usr/bin/env node
// Starts the command with a Node that is new enough: this one, or the one that the workspace brings as the npm package
// `node`, since a machine's own may be older.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const script = fileURLToPath(import.meta.url);

if (major > 22 || (major === 22 && minor >= 12)) {
  // Compiling the modules takes longer than most commands; Node keeps the result.
  nodeModule.enableCompileCache?.();
  const { main } = await import('#cli');
  process.exitCode = await main(process.argv.slice(2));
} else {
  const node = findWorkspaceNode();
  if (node === undefined) {
    console.error(`nx-kraft needs Node 22.12 or newer; this is ${process.version}`);
    process.exitCode = 1;
  } else {
    const { status, signal } = spawnSync(node, [script, ...process.argv.slice(2)], { stdio: 'inherit' });
    if (signal !== null) process.kill(process.pid, signal);
    process.exitCode = status ?? 1;
  }
}

function findWorkspaceNode() {
  for (let folder = dirname(script); ; folder = dirname(folder)) {
    const node = join(folder, 'node_modules', '.bin', 'node');
    if (existsSync(node)) return node;
    if (folder === dirname(folder)) return undefined;
  }
}
