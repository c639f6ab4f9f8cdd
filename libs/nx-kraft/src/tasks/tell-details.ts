// Nx runs this where it makes the key of a task that reads what other tasks make: by then they have made it.
import { hash } from 'node:crypto';
import { enableCompileCache } from 'node:module';

// Before all else that is loaded, which takes longer than what it does.
enableCompileCache();
const { recallVariables } = await import('../inference/variables.ts');
const { SourceDetails } = await import('./source-details.ts');

const [file = ''] = process.argv.slice(2);
const { files, linked } = recallVariables(process.cwd());
const details = new SourceDetails(process.cwd(), `nx-kraft-contents/${hash('sha256', file)}.json`);
process.stdout.write(details.of(files[file] ?? [], linked.includes(file)));
details.save();
