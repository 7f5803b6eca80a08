import { MSG_TRUNC } from '@sock/core';
import { expect } from 'chai';
import { pattern } from '../fixtures.js';
import type { Bench } from './bench.js';
import { FORMS, perform } from './forms.js';

/** What holds for sockets that carry messages. */
export function messageTests<A, I>(bench: Bench<A, I>): void {
  if (bench.isStream) return;
  describe('messages', () => {
    for (const form of FORMS) {
      it(`${form} form: messages of all sizes arrive one by one`, async () => {
        const [a, b] = await bench.pair();
        const sizes = [1, 2, 7, 64, 1000, 1, 4096].filter((size) => size <= bench.largest);
        for (const size of sizes) expect(await perform(form, a, 'send', pattern(size, size))).to.equal(size);
        for (const size of sizes) {
          expect((await perform(form, b, 'recv', 65_536)).equals(pattern(size, size)), `${size} bytes`).to.equal(true);
        }
      });
    }

    it('the largest message arrives whole', async () => {
      const [a, b] = await bench.pair();
      const sent = pattern(bench.largest, 9);
      for (const operation of ['send', 'sendAll'] as const) {
        await a[operation](sent);
        expect((await b.recv(bench.largest + 1)).equals(sent), operation).to.equal(true);
      }
      await a.sendMsg([sent.subarray(0, 10), sent.subarray(10)]);
      expect((await b.recv(bench.largest + 1)).equals(sent), 'sendMsg').to.equal(true);
    });

    if (bench.supports.truncation) truncationTests(bench);
    if (bench.supports.zeroLength) zeroLengthTests(bench);
    if (!bench.isDatagram || !bench.supports.addresses) return;
    addressTests(bench);
    if (bench.supports.connectedPeer) connectedTests(bench);
  });
}

function truncationTests<A, I>(bench: Bench<A, I>): void {
  for (const form of FORMS) {
    it(`${form} forms: a message that is cut off says so, and its end is gone`, async () => {
      const [a, b] = await bench.pair();
      await a.send('0123456789');
      const message = await perform(form, b, 'recvMsg', 4);
      expect(message.data.toString()).to.equal('0123');
      expect(message.flags & MSG_TRUNC).to.equal(MSG_TRUNC);
      await a.send('0123456789');
      const bytes = Buffer.alloc(4);
      const into = await perform(form, b, 'recvMsgInto', [bytes]);
      expect(into.bytes).to.equal(4);
      expect(into.flags & MSG_TRUNC).to.equal(MSG_TRUNC);
      await a.send('0123456789');
      expect((await perform(form, b, 'recv', 4)).toString()).to.equal('0123');
      await a.send('next');
      const next = await perform(form, b, 'recvMsg', 4);
      expect(next.data.toString()).to.equal('next');
      expect(next.flags & MSG_TRUNC).to.equal(0);
    });

    it(`${form} forms: MSG_TRUNC never gives more bytes than there is room for`, async () => {
      const [a, b] = await bench.pair();
      const flags = MSG_TRUNC;
      for (let i = 0; i < 4; i++) await a.send('0123456789');
      expect((await perform(form, b, 'recv', 4, { flags })).toString()).to.equal('0123');
      expect((await perform(form, b, 'recvFrom', 4, { flags })).data.toString()).to.equal('0123');
      expect((await perform(form, b, 'recvMsg', 4, 0, { flags })).data.toString()).to.equal('0123');
      const memory = Buffer.alloc(8, 0x2e);
      const length = bench.supports.realLength ? 10 : 4;
      expect(await perform(form, b, 'recvInto', memory.subarray(0, 4), { flags })).to.equal(length);
      expect(memory.toString()).to.equal('0123....');
    });
  }
}

function zeroLengthTests<A, I>(bench: Bench<A, I>): void {
  for (const form of FORMS) {
    it(`${form} forms: a message of no bytes is a message`, async () => {
      const [a, b] = await bench.pair();
      expect(await perform(form, a, 'send', '')).to.equal(0);
      expect(await perform(form, a, 'sendMsg', [])).to.equal(0);
      expect(await perform(form, a, 'send', new Uint8Array(0))).to.equal(0);
      expect(await perform(form, a, 'sendMsg', [new Uint8Array(0)])).to.equal(0);
      await a.sendAll('');
      await a.send('end');
      expect((await perform(form, b, 'recv', 10)).length).to.equal(0);
      expect(await perform(form, b, 'recvInto', new Uint8Array(10))).to.equal(0);
      expect((await perform(form, b, 'recvFrom', 10)).data.length).to.equal(0);
      expect((await perform(form, b, 'recvMsg', 10)).data.length).to.equal(0);
      expect((await perform(form, b, 'recvMsgInto', [new Uint8Array(10)])).bytes).to.equal(0);
      expect((await perform(form, b, 'recv', 10)).toString()).to.equal('end');
    });
  }

  it('recv of 0 bytes takes one message', async () => {
    const [a, b] = await bench.pair();
    await a.send('first');
    await a.send('second');
    expect((await b.recv(0)).length).to.equal(0);
    expect((await b.recv(10)).toString()).to.equal('second');
  });

  it('messages() gives a message of no bytes and goes on', async () => {
    const [a, b] = await bench.pair();
    for (const data of ['one', '', 'two']) await a.send(data);
    const texts: string[] = [];
    for await (const { data } of b.messages()) {
      texts.push(data.toString());
      if (texts.length === 3) break;
    }
    expect(texts).to.deep.equal(['one', '', 'two']);
  });
}

function addressTests<A, I>(bench: Bench<A, I>): void {
  for (const form of FORMS) {
    it(`${form} forms: sendTo, sendMsg with an address, and the way back`, async () => {
      const { socket: server, address } = await bench.bound();
      const { socket: client } = await bench.bound();
      expect(await perform(form, client, 'sendTo', 'ping', address)).to.equal(4);
      const { data, address: from } = await perform(form, server, 'recvFrom', 100);
      expect(data.toString()).to.equal('ping');
      expect(from).to.deep.equal(client.getsockname());
      const back = from as unknown as I;
      expect(await perform(form, server, 'sendMsg', ['po', 'ng'], { address: back })).to.equal(4);
      const message = await perform(form, client, 'recvMsg', 100);
      expect(message.data.toString()).to.equal('pong');
      expect(message.address).to.deep.equal(server.getsockname());
      await perform(form, server, 'sendTo', 'again', back);
      const into = await perform(form, client, 'recvMsgInto', [Buffer.alloc(9)]);
      expect(into.bytes).to.equal(5);
      expect(into.address).to.deep.equal(server.getsockname());
    });

    it(`${form} forms: an encoded address can be used again and again`, async () => {
      const { socket: server, address } = await bench.bound();
      const { socket: client } = await bench.bound();
      const encoded = client.encodeAddress(address);
      const before = Buffer.from(encoded.sockaddr);
      for (let i = 0; i < 20; i++) {
        await perform(form, client, 'sendTo', `t${i}`, encoded);
        await perform(form, client, 'sendMsg', [`m${i}`], { address: encoded });
        expect((await server.recv(10)).toString()).to.equal(`t${i}`);
        expect((await server.recv(10)).toString()).to.equal(`m${i}`);
      }
      expect(before.equals(encoded.sockaddr), 'the encoded address is as it was').to.equal(true);
      // an address says nothing about the socket that encoded it
      await server.sendTo('x', server.encodeAddress(bench.reach(client)));
      expect((await client.recv(1)).toString()).to.equal('x');
    });
  }

  it('each message has the address of its own sender', async () => {
    const { socket: server, address } = await bench.bound();
    const clients = [(await bench.bound()).socket, (await bench.bound()).socket, (await bench.bound()).socket];
    const turn = [0, 1, 1, 2, 0, 0, 2, 1];
    for (const i of turn) await clients[i]?.sendTo(String(i), address);
    const received: [string, A | null][] = [];
    for (const _ of turn) {
      const { data, address: from } = await server.recvFrom(10);
      received.push([data.toString(), from as A | null]);
    }
    expect(received).to.deep.equal(turn.map((i) => [String(i), clients[i]?.getsockname()]));
  });

  it('sends wait for nothing that a later send changes', async () => {
    const { socket: one, address: toOne } = await bench.bound();
    const { socket: two, address: toTwo } = await bench.bound();
    const { socket: client } = await bench.bound();
    await Promise.all([
      client.sendTo('1', toOne),
      client.sendTo('2', toTwo),
      client.sendMsg(['1'], { address: toOne }),
    ]);
    expect((await one.recv(10)).toString()).to.equal('1');
    expect((await one.recv(10)).toString()).to.equal('1');
    expect((await two.recv(10)).toString()).to.equal('2');
  });
}

function connectedTests<A, I>(bench: Bench<A, I>): void {
  it('a connected socket hears its peer only', async () => {
    const { socket: server, address } = await bench.bound();
    const { socket: peer, address: peerAddress } = await bench.bound();
    const { socket: stranger } = await bench.bound();
    await server.connect(peerAddress);
    await stranger.sendTo('stranger', address).catch(() => 0);
    await peer.sendTo('peer', address);
    expect((await server.recvFrom(10)).data.toString()).to.equal('peer');
  });
}
