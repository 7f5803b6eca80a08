import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './packages.js';
import { pages } from './pages.js';

const [command] = process.argv.slice(2);

for (const [file, text] of await pages()) {
  const target = path.join(root, file);
  const same = existsSync(target) && readFileSync(target, 'utf8') === text;
  if (command === 'generate') {
    if (!same) writeFileSync(target, text);
    console.log(`${file}: ${text.split('\n').length} lines${same ? ', unchanged' : ''}`);
  } else if (command === 'check') {
    if (!same) process.exitCode = 1;
    console.log(`${file} is ${same ? '' : 'not '}up to date${same ? '' : ': npm run documents'}`);
  } else {
    console.error('usage: node tools/coming-from/src/cli.js generate | check');
    process.exitCode = 1;
    break;
  }
}
