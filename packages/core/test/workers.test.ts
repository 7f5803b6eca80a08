import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { getDefaultTimeout, SOCK_STREAM, Socket, setDefaultTimeout } from '@sock/core';
import { delay, openDescriptors, settled, startNode, within } from '@sock/testkit';
import { expect } from 'chai';
import { pair, unix } from './support/families.js';
import { Cleanup } from './support/operations.js';

const core = JSON.stringify(fileURLToPath(import.meta.resolve('@sock/core')));

const PRELUDE = `
  const { parentPort, workerData, Worker } = require('node:worker_threads');
  const { Socket, getDefaultTimeout, setDefaultTimeout } = require(${core});
  const unix = { name: 'unix', domain: 1, encode: () => 2, decode: () => '', format: () => '' };
`;

const workers = new Set<Worker>();

function start(body: string, workerData?: unknown): Worker {
  const worker = new Worker(`${PRELUDE}${body}`, { eval: true, workerData });
  workers.add(worker);
  return worker;
}

function message(worker: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`exit ${code}`)));
  });
}

describe('worker threads', function () {
  this.timeout(20_000);
  const stack = new Cleanup();
  afterEach(async () => {
    stack[Symbol.dispose]();
    for (const worker of workers) await worker.terminate();
    workers.clear();
  });

  it('have sockets of their own, in every form', async () => {
    const worker = start(`
      (async () => {
        const [a, b] = Socket.pair(unix);
        const results = [];
        const pending = a.recv(10);
        b.sendSync('async');
        results.push(String(await pending));
        b.sendSync('sync');
        results.push(String(a.recvSync(10)));
        b.sendSync('try');
        results.push(String(a.tryRecv(10)));
        results.push(await a.recv(10, { timeout: 20 }).catch((e) => e.code));
        parentPort.postMessage(results);
      })();
    `);
    expect(await message(worker)).to.deep.equal(['async', 'sync', 'try', 'ETIMEDOUT']);
    await worker.terminate();
  });

  it('take over descriptors of other threads', async () => {
    const [a, b] = pair();
    stack.use(a);
    const worker = start(
      `
      const s = Socket.adopt(workerData, unix);
      parentPort.postMessage(String(s.recvSync(100)));
      s.sendSync('answer');
      s.close();
    `,
      b.detach(),
    );
    a.sendSync('question');
    expect(await message(worker)).to.equal('question');
    expect(String(await a.recv(100))).to.equal('answer');
    expect((await a.recv(100)).length).to.equal(0);
  });

  const PENDING: Record<string, string> = {
    'nothing pending': '',
    'a pending recv': 'a.recv(1);',
    'many operations pending': `
      for (let i = 0; i < 50; i++) {
        const [c, d] = Socket.pair(unix);
        keep.push(c, d);
        c.recv(1);
        d.waitReadable();
        c.recvMsg(1, 0, { flags: 0x2000 });
      }
    `,
    'a pending send': 'while (a.trySend(Buffer.alloc(1000)) !== null); a.sendAll(Buffer.alloc(1000));',
    'a pending poll': 'poll([{ socket: a }, { socket: b }]);',
    'data in flight': 'a.recv(1).then(() => {}); b.sendSync("x");',
    'an iteration': '(async () => { for await (const c of a.chunks()); })();',
    'a duplex that flows': 'a.duplex().on("data", () => {}); b.sendSync("x");',
    'a blocking recv': 'parentPort.postMessage(1); a.recvSync(1);',
    'a blocking poll': 'parentPort.postMessage(1); pollSync([{ socket: a }]);',
    'a blocking wait': 'parentPort.postMessage(1); a.waitReadableSync({ timeout: 1e9 });',
  };

  for (const [what, body] of Object.entries(PENDING)) {
    it(`can be terminated with ${what}: their descriptors are closed`, async () => {
      const before = openDescriptors();
      const worker = start(`
        const { poll, pollSync } = require(${core});
        const keep = [];
        const [a, b] = Socket.pair(unix);
        ${body}
        setImmediate(() => parentPort.postMessage(a.fileno()));
        setInterval(() => {}, 1000);
      `);
      // node itself does not survive the end of a worker that is loading modules still
      await message(worker);
      if (what.startsWith('a blocking')) await delay(50);
      await within('terminate', worker.terminate(), 10_000);
      expect(await settled(before)).to.deep.equal([]);
    });
  }

  it('can end by process.exit and by an exception with operations pending', async () => {
    for (const [ending, code] of [
      ['process.exit(3)', 3],
      ['throw new Error("on purpose")', 1],
    ] as const) {
      const before = openDescriptors();
      const worker = start(
        `const [a, b] = Socket.pair(unix); a.recv(1).catch(() => {}); setImmediate(() => { ${ending} });`,
      );
      worker.on('error', () => {});
      expect(await within('exit', new Promise((resolve) => worker.once('exit', resolve)))).to.equal(code);
      expect(await settled(before)).to.deep.equal([]);
    }
  });

  it('end by themselves when nothing is pending, though sockets are open', async () => {
    const worker = start(`
      (async () => {
        const [a, b] = Socket.pair(unix);
        b.sendSync('x');
        await a.recv(1);
        const waiting = b.recv(1);
        a.sendSync('y');
        await waiting;
      })();
    `);
    expect(await within('exit', new Promise((resolve) => worker.once('exit', resolve)))).to.equal(0);
  });

  it('may have workers of their own', async () => {
    const inner = `
      ${PRELUDE}
      const [a, b] = Socket.pair(unix);
      a.recv(1).catch(() => {});
      parentPort.postMessage('inner');
    `;
    const before = openDescriptors();
    const worker = start(`
      const [a, b] = Socket.pair(unix);
      b.recv(1).catch(() => {});
      new Worker(${JSON.stringify(inner)}, { eval: true }).on('message', (m) => parentPort.postMessage(m));
    `);
    expect(await message(worker)).to.equal('inner');
    await within('terminate', worker.terminate());
    expect(await settled(before)).to.deep.equal([]);
  });

  it('do not disturb the sockets of the main thread when they end', async () => {
    const [a, b] = pair();
    stack.use(a);
    stack.use(b);
    const waiting = a.recv(10);
    for (let i = 0; i < 5; i++) {
      const worker = start('const [a] = Socket.pair(unix); a.recv(1).catch(() => {}); parentPort.postMessage(1);');
      await message(worker);
      await worker.terminate();
    }
    b.sendSync('undisturbed');
    expect(String(await within('recv', waiting))).to.equal('undisturbe');
  });

  it('have a default timeout of their own', async () => {
    setDefaultTimeout(1234);
    try {
      const worker = start(
        'setDefaultTimeout(getDefaultTimeout() === null ? 5 : 6); parentPort.postMessage(Socket.pair(unix)[0].timeout);',
      );
      expect(await message(worker)).to.equal(5);
      expect(getDefaultTimeout()).to.equal(1234);
      expect(stack.use(new Socket(unix, SOCK_STREAM)).timeout).to.equal(1234);
    } finally {
      setDefaultTimeout(null);
    }
  });

  it('receive what the main thread sends, and the other way round, at the same time', async () => {
    const [a, b] = pair();
    stack.use(a);
    const worker = start(
      `
      const s = Socket.adopt(workerData, unix);
      (async () => {
        let total = 0;
        for await (const chunk of s.chunks()) { total += chunk.length; await s.sendAll(chunk); }
        s.close();
        parentPort.postMessage(total);
      })();
    `,
      b.detach(),
    );
    const size = 4_000_000;
    const sending = a.sendAll(Buffer.alloc(size, 'x'));
    let echoed = 0;
    while (echoed < size) echoed += (await within('recv', a.recv(65_536))).length;
    await sending;
    a.shutdown(1);
    expect(await message(worker)).to.equal(size);
  });
});

describe('a process with many threads', () => {
  it('exits cleanly while workers wait', async () => {
    const waiting = `${PRELUDE}
      const [a, b] = Socket.pair(unix);
      a.recv(1);
      parentPort.postMessage(1);
      setTimeout(() => b.recvSync(1), 10);
    `;
    const source = `
      import { Worker } from 'node:worker_threads';
      import { Socket } from '@sock/core';
      const unix = { name: 'unix', domain: 1, encode: () => 2, decode: () => '', format: () => '' };
      const body = ${JSON.stringify(waiting)};
      const workers = Array.from({ length: 4 }, () => new Worker(body, { eval: true, execArgv: [] }));
      await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))));
      Socket.pair(unix)[0].recv(1);
      setTimeout(() => process.exit(0), 50);
    `;
    const { code, stderr } = await startNode(source, { input: '', timeout: 15_000 }).outcome;
    expect([code, stderr]).to.deep.equal([0, '']);
    expect(readdirSync('/proc/self/fd').length).to.be.greaterThan(2);
  }).timeout(20_000);
});
