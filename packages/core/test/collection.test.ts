import { startNode } from '@sock/testkit';
import { expect } from 'chai';

/** Runs a program that collects garbage; gives what it printed and the warnings that it got. */
async function run(body: string): Promise<{ printed: string[]; warnings: string[] }> {
  const source = `
    import { readdirSync, readlinkSync } from 'node:fs';
    import { Socket, MessageBatch, SOCK_STREAM, SOCK_DGRAM, scmRights, setDefaultTimeout } from '@sock/core';
    const unix = { name: 'unix', domain: 1, encode: () => 2, decode: () => '', format: () => '' };
    const warnings = [];
    process.on('warning', (warning) => warnings.push(warning.name + ': ' + warning.message));
    const target = (fd) => { try { return readlinkSync('/proc/self/fd/' + fd); } catch { return ''; } };
    // sockets, and the standard streams, which are pipes; node opens others when it likes
    const count = () => readdirSync('/proc/self/fd').filter((fd) => /^(socket|pipe):/.test(target(fd))).length;
    const turn = () => new Promise((resolve) => setTimeout(resolve, 5));
    async function collect(until = () => false) {
      for (let i = 0; i < 20 && !until(); i++) { globalThis.gc(); await turn(); }
      await turn();
    }
    await collect();
    const before = count();
    ${body}
    console.log(JSON.stringify(warnings));
  `;
  const { stdout } = await startNode(source, { input: '', flags: ['--expose-gc', '--no-warnings'] }).succeeded();
  const lines = stdout.trimEnd().split('\n');
  return { warnings: JSON.parse(lines.pop() ?? '[]'), printed: lines };
}

describe('garbage collection', function () {
  this.timeout(20_000);

  it('closes a socket that nobody closed, and warns once for each', async () => {
    const { warnings, printed } = await run(`
      (() => { new Socket(unix); Socket.pair(unix); })();
      await collect(() => warnings.length === 3);
      console.log(count() - before);
    `);
    expect(printed).to.deep.equal(['0']);
    expect(warnings).to.have.length(3);
    for (const warning of warnings) {
      expect(warning).to.match(
        /^ResourceWarning: a Socket \(unix, fd \d+\) was collected without having been closed; it is closed now\./,
      );
    }
  });

  it('warns of what a file has that was never sent, once, and only then', async () => {
    const { warnings } = await run(`
      const [a, b] = Socket.pair(unix);
      (() => {
        a.makeFile('w').writeSync('lost');
        a.makeFile('w').closeSync();
        const flushed = a.makeFile('w');
        flushed.writeSync('sent');
        flushed.flushSync();
        a.makeFile();
      })();
      await collect(() => warnings.length === 1);
      a.close();
      b.close();
    `);
    expect(warnings).to.deep.equal([
      'ResourceWarning: a file of a Socket was collected with 4 bytes that were never sent. Call flush() or close()',
    ]);
  });

  it('says nothing of sockets that were closed, detached, disposed of, or belong to others', async () => {
    const { warnings, printed } = await run(`
      import net from 'node:net';
      import { closeSync } from 'node:fs';
      const server = net.createServer().listen(0);
      await new Promise((resolve) => server.once('listening', resolve));
      await (async () => {
        const [a, b] = Socket.pair(unix);
        a.close();
        closeSync(b.detach());
        new Socket(unix)[Symbol.dispose]();
        await new Socket(unix)[Symbol.asyncDispose]();
        Socket.borrow(server);
        const [c, d] = Socket.pair(unix);
        c.duplex().destroy();
        d.toNetSocket().destroy();
      })();
      await collect();
      console.log(server.listening);
      server.close();
      await turn();
      console.log(count() - before);
    `);
    expect(warnings).to.deep.equal([]);
    expect(printed).to.deep.equal(['true', '0']);
  });

  it('does not touch a socket with an operation pending', async () => {
    const { warnings, printed } = await run(`
      const [, b] = await (async () => {
        const [a, b] = Socket.pair(unix);
        a.recv(10).then((data) => console.log(String(data)));
        return [undefined, b];
      })();
      await collect();
      b.sendSync('alive');
      await turn();
      b.close();
    `);
    expect(warnings).to.deep.equal([]);
    expect(printed).to.deep.equal(['alive']);
  });

  it('does not touch what a stream or an iteration uses', async () => {
    const { warnings, printed } = await run(`
      const peers = (() => {
        const [a, b] = Socket.pair(unix);
        a.duplex().on('data', (data) => console.log(String(data)));
        const [c, d] = Socket.pair(unix);
        (async () => { for await (const chunk of c.readable) console.log(Buffer.from(chunk).toString()); })();
        return [b, d];
      })();
      await collect();
      for (const peer of peers) { peer.sendSync('flows'); await turn(); }
      console.log(warnings.length);
      process.removeAllListeners('warning');
      for (const peer of peers) peer.close();
    `);
    expect(printed).to.deep.equal(['flows', 'flows', '0']);
    expect(warnings).to.deep.equal([]);
  });

  it('closes received descriptors that nobody took, and warns', async () => {
    const { warnings, printed } = await run(`
      const [a, b] = Socket.pair(unix, SOCK_DGRAM);
      const base = count();
      await (async () => {
        a.sendMsgSync(['x'], { ancillary: [scmRights.create([0, 1, 2])] });
        const { ancillary } = await b.recvMsg(10, 64);
        console.log(count() - base, ancillary.descriptors.length);
      })();
      await collect(() => warnings.length > 0);
      console.log(count() - base);
      a.close(); b.close();
    `);
    expect(printed).to.deep.equal(['3 3', '0']);
    expect(warnings).to.have.length(1);
    expect(warnings[0]).to.match(
      /^ResourceWarning: 3 received descriptor\(s\) were never taken \(fd \d+, \d+, \d+\); they are closed now/,
    );
  });

  it('leaves those that were taken, and says nothing of those that were disposed of', async () => {
    const { warnings, printed } = await run(`
      import { closeSync } from 'node:fs';
      const [a, b] = Socket.pair(unix, SOCK_DGRAM);
      const base = count();
      const taken = await (async () => {
        a.sendMsgSync(['x'], { ancillary: [scmRights.create([0, 1])] });
        const fds = scmRights.take((await b.recvMsg(10, 64)).ancillary);
        a.sendMsgSync(['x'], { ancillary: [scmRights.create([0, 1])] });
        b.recvMsgSync(10, 64).ancillary[Symbol.dispose]();
        const batch = new MessageBatch({ count: 4, size: 10, ancillarySize: 64 });
        a.sendMsgSync(['x'], { ancillary: [scmRights.create([0, 1])] });
        b.recvBatchSync(batch);
        batch.clear();
        a.sendMsgSync(['x'], { ancillary: [scmRights.create([0, 1])] });
        b.recvBatchSync(batch);
        b.tryRecvBatch(batch);
        return fds;
      })();
      await collect();
      console.log(count() - base, taken.length);
      for (const fd of taken) closeSync(fd);
      a.close(); b.close();
    `);
    expect(warnings).to.deep.equal([]);
    expect(printed).to.deep.equal(['2 2']);
  });

  it('closes the descriptors of a batch that nobody looked at', async () => {
    const { printed } = await run(`
      const [a, b] = Socket.pair(unix, SOCK_DGRAM);
      const base = count();
      await (async () => {
        const batch = new MessageBatch({ count: 4, size: 10, ancillarySize: 64 });
        for (let i = 0; i < 3; i++) a.sendMsgSync(['x'], { ancillary: [scmRights.create([0, 1])] });
        b.recvBatchSync(batch);
        console.log(count() - base);
      })();
      await collect(() => count() === base);
      console.log(count() - base);
      a.close(); b.close();
    `);
    expect(printed).to.deep.equal(['6', '0']);
  });

  it('does not keep what many operations used', async () => {
    const { printed } = await run(`
      const [a, b] = Socket.pair(unix);
      const signal = new AbortController().signal;
      const round = async (n) => {
        for (let i = 0; i < n; i++) {
          const received = a.recv(100, { signal, timeout: 60_000 });
          b.sendSync('x');
          await received;
        }
      };
      await round(2000);
      await collect();
      const heap = process.memoryUsage().heapUsed;
      await round(20_000);
      await collect();
      console.log((process.memoryUsage().heapUsed - heap) < 2_000_000);
      a.close(); b.close();
    `);
    expect(printed).to.deep.equal(['true']);
  });
});
