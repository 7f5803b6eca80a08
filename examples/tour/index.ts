// The tour: for every family a real exchange on this machine, or why there is none and the remedy.
// --all: that one is not shown is a failure.
import { SocketError } from '@sock/core';
import { algSteps } from './alg.js';
import { bluetoothSteps } from './bluetooth.js';
import { canSteps } from './can.js';
import { inetSteps } from './inet.js';
import { netlinkSteps } from './netlink.js';
import { packetSteps } from './packet.js';
import { qrtrSteps } from './qrtr.js';
import { rdsSteps } from './rds.js';
import { Unavailable } from './step.js';
import { tipcSteps } from './tipc.js';
import { unixSteps } from './unix.js';
import { vsockSteps } from './vsock.js';

const LIMIT = 60_000;
const all = process.argv.includes('--all');

interface Row {
  family: string;
  text: string;
  milliseconds: number;
  shown: boolean;
}

async function within<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${LIMIT} ms`)), LIMIT);
  });
  try {
    return await Promise.race([promise, expired]);
  } finally {
    clearTimeout(timer);
  }
}

// what a kernel or a user without privileges lacks; anything else is a failure of the tour
const LACKING = ['EAFNOSUPPORT', 'EPROTONOSUPPORT', 'ESOCKTNOSUPPORT', 'EPERM', 'EACCES', 'EADDRNOTAVAIL'];

const rows: Row[] = [];
let failed = 0;
const steps = [
  ...inetSteps,
  ...unixSteps,
  ...canSteps,
  ...packetSteps,
  ...netlinkSteps,
  ...algSteps,
  ...tipcSteps,
  ...bluetoothSteps,
  ...vsockSteps,
  ...rdsSteps,
  ...qrtrSteps,
];
for (const { family, run } of steps) {
  const begin = performance.now();
  let text: string;
  let shown = false;
  try {
    text = await within(run());
    shown = true;
  } catch (error) {
    if (error instanceof Unavailable) text = `not here: ${error.message}; ${error.remedy}`;
    else if (error instanceof SocketError && LACKING.includes(error.code)) text = `not here: ${error.message}`;
    else {
      failed++;
      text = `FAILED: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
    }
  }
  rows.push({ family, text, milliseconds: performance.now() - begin, shown });
}

const width = Math.max(...rows.map(({ family }) => family.length));
console.log(`${'family'.padEnd(width)}        ms  exchange`);
for (const { family, text, milliseconds, shown } of rows) {
  console.log(`${family.padEnd(width)}  ${shown ? milliseconds.toFixed(1).padStart(8) : '       -'}  ${text}`);
}
const count = rows.filter(({ shown }) => shown).length;
console.log(`\n${count} of ${rows.length} exchanges shown on this machine`);
if (!all && count < rows.length) console.log('The kernel lab shows all of them: npm start -- --lab');
process.exitCode = failed > 0 || (all && count < rows.length) ? 1 : 0;
