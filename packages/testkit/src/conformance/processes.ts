import { closeSync } from 'node:fs';
import type { Socket } from '@sock/core';
import { expect } from 'chai';
import { type Child, startNode } from '../children.js';
import { delay, turns, within } from '../time.js';
import type { Bench } from './bench.js';

/** A child that finds a socket of this kind as its descriptor 3. */
async function withChild<A, I>(
  bench: Bench<A, I>,
  source: string,
  body: (child: Child, peer: Socket<A, I>) => Promise<void>,
  flags: readonly string[] = [],
): Promise<void> {
  const [a, peer] = await bench.pair();
  const fd = a.detach();
  const program = `import { Socket } from '@sock/core';\n${source}`;
  await using child = startNode(program, { descriptors: [fd], flags });
  closeSync(fd);
  await body(child, peer);
}

/** What sockets do to the life of the process. */
export function processTests<A, I>(bench: Bench<A, I>): void {
  describe('in a process of its own', () => {
    it('an open socket without pending operations does not keep the process alive', async () => {
      const source = `
        globalThis.socket = Socket.adopt(3);
        socket.recv(1, { timeout: 1 }).catch(({ code }) => console.log(code));
      `;
      await withChild(bench, source, async (child) => {
        expect((await child.succeeded()).stdout).to.equal('ETIMEDOUT\n');
      });
    });

    it('a pending operation does', async () => {
      const source = `
        const socket = Socket.adopt(3);
        socket.recv(8).then((data) => { console.log(String(data)); socket.close(); });
        console.log('ready');
      `;
      await withChild(bench, source, async (child, peer) => {
        expect(await child.line()).to.equal('ready');
        await delay(50);
        expect(child.process.exitCode).to.equal(null);
        await peer.send('alive');
        expect((await child.succeeded()).stdout).to.equal('ready\nalive\n');
      });
    });

    it('unref takes that back, ref restores it', async () => {
      const source = `
        const socket = Socket.adopt(3).unref();
        socket.recv(8).catch(() => console.log('never'));
        console.log('end');
      `;
      await withChild(bench, source, async (child) => {
        expect((await child.succeeded()).stdout).to.equal('end\n');
      });
      const again = `
        const socket = Socket.adopt(3);
        socket.recv(8).then((data) => { console.log(String(data)); });
        socket.unref();
        socket.ref();
        console.log('ready');
      `;
      await withChild(bench, again, async (child, peer) => {
        expect(await child.line()).to.equal('ready');
        await peer.send('kept');
        expect((await child.succeeded()).stdout).to.equal('ready\nkept\n');
      });
    });

    it('process.exit with operations pending ends at once', async () => {
      const source = `
        const socket = Socket.adopt(3);
        socket.recv(8).catch(() => {});
        socket.sendAll(Buffer.alloc(1024)).catch(() => {});
        setImmediate(() => process.exit(7));
      `;
      await withChild(bench, source, async (child) => {
        const { code, stderr } = await child.outcome;
        expect([code, stderr]).to.deep.equal([7, '']);
      });
    });

    it('a worker that is terminated with operations pending leaves the process in order', async () => {
      const source = `
        import { Worker } from 'node:worker_threads';
        const code = \`
          Promise.all([import('@sock/core'), import('node:worker_threads')]).then(([{ Socket }, { parentPort }]) => {
            const socket = Socket.adopt(3);
            socket.recv(8).catch(() => {});
            socket.waitReadable().catch(() => {});
            parentPort.postMessage('pending');
          });
        \`;
        const worker = new Worker(code, { eval: true, execArgv: [] });
        worker.on('error', (error) => { console.error(error); });
        worker.on('message', async () => { await worker.terminate(); console.log('terminated'); });
      `;
      await withChild(bench, source, async (child) => {
        expect((await child.succeeded()).stdout).to.equal('terminated\n');
      });
    });

    it('a socket that is collected is closed, with one warning', async () => {
      const source = `
        let socket = Socket.adopt(3);
        socket.tryRecv(1);
        socket = null;
        process.on('warning', (warning) => { console.log(warning.name, warning.message); });
        for (let i = 0; i < 10; i++) { gc(); await new Promise((resolve) => setTimeout(resolve, 5)); }
      `;
      await withChild(
        bench,
        source,
        async (child, peer) => {
          const { stdout, code } = await child.outcome;
          expect(code).to.equal(0);
          const warnings = stdout.trim().split('\n');
          expect(warnings).to.have.length(1);
          expect(warnings[0]).to.match(/^ResourceWarning .*collected/);
          expect(warnings[0]).to.include('fd 3');
          if (bench.supports.endOfFile) expect((await within('the end', peer.recv(1))).length).to.equal(0);
          await turns(1);
        },
        ['--expose-gc', '--no-warnings'],
      );
    });
  });
}
