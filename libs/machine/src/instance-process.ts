// The process that runs a detached instance: instance-process FOLDER. What it has to say about the start goes to
// descriptor 3 as JSON, a fault or nothing, and then that is closed; the process stays until the machine ends.
import { closeSync, writeSync } from 'node:fs';
import { hostInstance } from './instance-host.ts';
import { MachineFault } from './fault.ts';

const startChannel = 3;

async function main(folder: string, cacheFolder: string): Promise<void> {
  try {
    const { done } = await hostInstance(folder, { cacheFolder });
    closeSync(startChannel);
    await done;
  } catch (error) {
    if (!(error instanceof MachineFault)) throw error;
    writeSync(startChannel, JSON.stringify(error));
    process.exitCode = 1;
  }
}

void main(process.argv[2] ?? '', process.argv[3] ?? '');
