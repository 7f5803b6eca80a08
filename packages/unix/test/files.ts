import { openSync, readSync, writeFileSync } from 'node:fs';
import { tempPath } from '@sock/testkit';

/** A file with a text in it, open for reading: what it is can be seen through any descriptor of it. */
export function openText(text: string): number {
  const path = tempPath('.txt');
  writeFileSync(path, text);
  return openSync(path, 'r');
}

/** The text of such a file. */
export function textOf(fd: number): string {
  const bytes = Buffer.alloc(100);
  return bytes.toString('utf8', 0, readSync(fd, bytes, 0, bytes.length, 0));
}
