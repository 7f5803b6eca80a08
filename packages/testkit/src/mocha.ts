/**
 * Root hooks for mocha: `mocha --require @sock/testkit/mocha`.
 *
 * After every test file the process must have the descriptors open that it had before, and no
 * warning and no unhandled rejection may have come up. SOCK_TIME_SCALE stretches all time limits.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import net from 'node:net';
import { relative } from 'node:path';
import { promisify } from 'node:util';
import { openDescriptors, settled } from './descriptors.js';
import { timeScale, turns } from './time.js';
import { takeWarnings, watchWarnings } from './warnings.js';

/** Opens what node and the library open once and keep, so that it does not count as a leak of the first file. */
async function warmUp(): Promise<void> {
  await readFile('/proc/self/stat');
  await promisify(execFile)('true');
  const server = net.createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1').resume();
  await once(client, 'close');
  await new Promise((resolve) => server.close(resolve));
  const { Socket, AF_UNIX, SOCK_STREAM } = await import('@sock/core');
  const family = { name: 'unix', domain: AF_UNIX, encode: () => 2, decode: () => null, format: () => '' };
  const [a, b] = Socket.pair(family, SOCK_STREAM);
  const received = a.recv(1);
  await turns(1);
  await b.send('x');
  await received;
  a.close();
  b.close();
  await turns(5);
}

// mocha has no public way to see the hooks of a suite
type Hooks = Record<'_beforeAll' | '_afterAll' | '_beforeEach' | '_afterEach', Mocha.Hook[]>;
const hooksOf = (suite: Mocha.Suite): Hooks => suite as unknown as Hooks;

/** Mocha adds hooks at the end; this one must come before those of the file. */
function addFirst(suite: Mocha.Suite, title: string, body: () => void): void {
  if (suite.isPending()) return;
  suite.beforeAll(title, body);
  const hooks = hooksOf(suite)._beforeAll;
  const added = hooks.pop();
  if (added !== undefined) hooks.unshift(added);
}

class FileCheck {
  #before: Map<number, string> | undefined;

  constructor(
    readonly file: string,
    suites: readonly Mocha.Suite[],
  ) {
    const begin = () => {
      this.#before ??= openDescriptors();
    };
    for (const suite of suites) addFirst(suite, 'notes the open descriptors', begin);
    // the last suite that runs is not known beforehand (--grep): the check after the run covers the rest
    suites.findLast((suite) => !suite.isPending())?.afterAll('leaves nothing open', () => this.verify());
  }

  async verify(): Promise<void> {
    const before = this.#before;
    if (before === undefined) return;
    this.#before = undefined;
    const lines = [...(await settled(before)), ...takeWarnings()];
    if (lines.length > 0) throw new Error(`${relative(process.cwd(), this.file)}:\n  ${lines.join('\n  ')}`);
  }
}

function stretch(suite: Mocha.Suite): void {
  const { _beforeAll, _afterAll, _beforeEach, _afterEach } = hooksOf(suite);
  for (const runnable of [...suite.tests, ..._beforeAll, ..._afterAll, ..._beforeEach, ..._afterEach]) {
    runnable.timeout(runnable.timeout() * timeScale);
  }
  for (const child of suite.suites) stretch(child);
}

const checks: FileCheck[] = [];

export const mochaHooks = {
  async beforeAll(this: Mocha.Context): Promise<void> {
    const root = this.test?.parent;
    if (root === undefined) throw new Error('mocha ran a root hook outside the root suite');
    // required twice (a configuration file and the command line), mocha calls it twice
    if (checks.length > 0) return;
    if (timeScale !== 1) stretch(root);
    watchWarnings();
    await warmUp();
    takeWarnings();
    for (const [file, suites] of group(root.suites)) checks.push(new FileCheck(file, suites));
  },
  async afterAll(): Promise<void> {
    const failures: string[] = [];
    for (const check of checks) {
      await check.verify().catch((error: Error) => {
        failures.push(error.message);
      });
    }
    if (failures.length > 0) throw new Error(failures.join('\n'));
  },
};

function group(suites: readonly Mocha.Suite[]): Map<string, Mocha.Suite[]> {
  const groups = new Map<string, Mocha.Suite[]>();
  for (const suite of suites) {
    const file = suite.file ?? '';
    const members = groups.get(file);
    if (members === undefined) groups.set(file, [suite]);
    else members.push(suite);
  }
  return groups;
}
