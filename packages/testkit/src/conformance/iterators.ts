import { expect } from 'chai';
import { turns, within } from '../time.js';
import type { Bench } from './bench.js';
import { rejection } from './failures.js';

/** connections(), messages(), chunks(). */
export function iteratorTests<A, I>(bench: Bench<A, I>): void {
  describe('iterators', () => {
    if (bench.accepts) connectionTests(bench);
    if (bench.isStream) chunkTests(bench);
    if (bench.isStream && bench.tellsEnd) chunkEndTests(bench);
    messageTests(bench);
  });
}

function connectionTests<A, I>(bench: Bench<A, I>): void {
  it('connections() gives connections as they come, and ends when the server is closed', async () => {
    const { server, address } = await bench.server();
    const peers: unknown[] = [];
    const serving = (async () => {
      for await (const { socket, address: peer } of server.connections()) {
        bench.own(socket);
        peers.push(peer);
        await socket.send('welcome');
      }
    })();
    const names: unknown[] = [];
    for (let i = 0; i < 3; i++) {
      const client = bench.open();
      await client.connect(address);
      names.push(bench.reach(client));
      expect((await within('the welcome', client.recv(16))).toString()).to.equal('welcome');
    }
    await turns(2);
    server.close();
    await within('the end', serving);
    expect(peers).to.deep.equal(names);
  });

  it('leaving the loop leaves the server open', async () => {
    const { server, address } = await bench.server();
    for (let i = 0; i < 2; i++) {
      const client = bench.open();
      const connecting = client.connect(address);
      for await (const { socket } of server.connections()) {
        bench.own(socket);
        break;
      }
      await connecting;
    }
    expect(server.closed).to.equal(false);
  });

  it('a signal ends the loop with its reason', async () => {
    const { server } = await bench.server();
    const controller = new AbortController();
    const looping = rejection(server.connections({ signal: controller.signal }).next());
    await turns(2);
    controller.abort();
    expect((await within('the loop', looping)).name).to.equal('AbortError');
  });
}

function chunkTests<A, I>(bench: Bench<A, I>): void {
  it('chunks() ends when the socket is closed', async () => {
    const [, b] = await bench.pair();
    const next = b.chunks().next();
    await turns(2);
    b.close();
    expect((await within('the end', next)).done).to.equal(true);
  });
}

function chunkEndTests<A, I>(bench: Bench<A, I>): void {
  it('chunks() gives data until the end', async () => {
    const [a, b] = await bench.pair();
    const sending = (async () => {
      for (const text of ['one ', 'two ', 'three']) {
        await a.send(text);
        await turns(2);
      }
      bench.finish(a);
    })();
    const chunks: Buffer[] = [];
    for await (const chunk of b.chunks()) {
      expect(chunk.length).to.be.above(0);
      chunks.push(chunk);
    }
    await sending;
    expect(Buffer.concat(chunks).toString()).to.equal('one two three');
    expect(b.closed, 'the end of one direction closes nothing').to.equal(false);
  });

  it('chunks(size) gives no larger ones', async () => {
    const [a, b] = await bench.pair();
    await a.send('0123456789');
    bench.finish(a);
    const sizes: number[] = [];
    for await (const chunk of b.chunks(4)) sizes.push(chunk.length);
    expect(sizes).to.deep.equal([4, 4, 2]);
  });
}

function messageTests<A, I>(bench: Bench<A, I>): void {
  it('messages() gives data with its sender, and ends when the socket is closed', async () => {
    const [a, b] = await bench.pair();
    const texts: string[] = [];
    const receiving = (async () => {
      for await (const { data, address } of b.messages()) {
        texts.push(data.toString());
        if (bench.supports.addresses) expect(address).to.deep.equal(a.getsockname());
      }
    })();
    for (const text of ['1', '2', '3']) {
      await a.send(text);
      for (let i = 0; i < 100 && texts.length < Number(text); i++) await turns(1);
    }
    b.close();
    await within('the end', receiving);
    expect(texts).to.deep.equal(['1', '2', '3']);
  });

  it('a timeout ends the loop with an error', async () => {
    const [, b] = await bench.pair();
    expect((await within('the loop', rejection(b.messages(100, { timeout: 5 }).next()))).code).to.equal('ETIMEDOUT');
  });
}
