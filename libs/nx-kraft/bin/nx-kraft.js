#!/usr/bin/env node
// Starts the command with a Node that is new enough: this one, or the one that the workspace brings as the npm package
// `node`, since a machine's own may be older.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major > 22 || (major === 22 && minor >= 12)) {
  // Compiling the modules takes longer than most commands; Node keeps the result. An import of Node's modules would load
  // much that most commands need not.
  process.getBuiltinModule('node:module').enableCompileCache();
  const { main } = await import('#cli');
  process.exitCode = await main(process.argv.slice(2));
} else {
  await startNewerNode();
}

async function startNewerNode() {
  const { spawnSync } = await import('node:child_process');
  const { fileURLToPath } = await import('node:url');
  const script = fileURLToPath(import.meta.url);
  const node = await findWorkspaceNode(script);
  if (node === undefined) {
    console.error(`nx-kraft needs Node 22.12 or newer; this is ${process.version}`);
    process.exitCode = 1;
  } else {
    const { status, signal } = spawnSync(node, [script, ...process.argv.slice(2)], { stdio: 'inherit' });
    if (signal !== null) process.kill(process.pid, signal);
    process.exitCode = status ?? 1;
  }
}

async function findWorkspaceNode(script) {
  const { existsSync } = await import('node:fs');
  const { dirname, join } = await import('node:path');
  for (let folder = dirname(script); ; folder = dirname(folder)) {
    const node = join(folder, 'node_modules', '.bin', 'node');
    if (existsSync(node)) return node;
    if (folder === dirname(folder)) return undefined;
  }
}
