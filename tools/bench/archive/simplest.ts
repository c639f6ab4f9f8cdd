// The least that a program in Node can do: simplest.ts SOURCE OUTPUT. Of a directory it makes CPIO newc without order, checks, odd
// names, owners or faults; of a tar archive it only copies the bytes.
import { closeSync, openSync, readdirSync, readlinkSync, readSync, statSync, writeSync } from 'node:fs';

const [, , source = '', path = ''] = process.argv;
const output = openSync(path, 'w');
const buffer = Buffer.allocUnsafeSlow(256 * 1024);
let used = 0;
let entries = 0;

function flush(): void {
  writeSync(output, buffer, 0, used);
  used = 0;
}

function text(value: string, zeros: number): void {
  if (buffer.length - used < value.length + zeros) flush();
  used += buffer.write(value, used, 'latin1');
  buffer.fill(0, used, used + zeros);
  used += zeros;
}

function header(name: string, mode: number, size: number): void {
  const fields = [++entries, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, name.length + 1, 0];
  const digits = fields.map((field) => field.toString(16).padStart(8, '0')).join('');
  text(`070701${digits}${name}`, 4 - ((110 + name.length) & 3));
}

function content(fd: number, size: number): void {
  for (let done = 0; done < size;) {
    if (used === buffer.length) flush();
    const length = readSync(fd, buffer, used, Math.min(size - done, buffer.length - used), null);
    if (length === 0) throw new Error('a file shrank');
    used += length;
    done += length;
  }
  text('', -size & 3);
}

function tree(folder: string, below: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const place = `${folder}/${entry.name}`;
    const name = `${below}/${entry.name}`;
    if (entry.isDirectory()) {
      header(name, 0o40755, 0);
      tree(place, name);
    } else if (entry.isSymbolicLink()) {
      const target = readlinkSync(place);
      header(name, 0o120777, target.length);
      text(target, -target.length & 3);
    } else {
      const { mode, size } = statSync(place);
      header(name, mode, size);
      const fd = openSync(place, 'r');
      content(fd, size);
      closeSync(fd);
    }
  }
}

function copy(): void {
  const fd = openSync(source, 'r');
  for (let length = readSync(fd, buffer); length > 0; length = readSync(fd, buffer))
    writeSync(output, buffer, 0, length);
  closeSync(fd);
}

if (statSync(source).isDirectory()) {
  tree(source, '.');
  header('TRAILER!!!', 0, 0);
  flush();
} else {
  copy();
}
closeSync(output);
