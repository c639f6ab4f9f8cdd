// Nx runs this where it makes the key of a root file system that holds what other tasks make: by then they have made it.
import { hash } from 'node:crypto';
import { recallVariables } from '../inference/variables.ts';
import { SourceDetails } from './source-details.ts';

const [file = ''] = process.argv.slice(2);
const { files, linked } = recallVariables(process.cwd());
const details = new SourceDetails(process.cwd(), `nx-kraft-contents/${hash('sha256', file)}.json`);
process.stdout.write(details.of(files[file] ?? [], linked.includes(file)));
details.save();
