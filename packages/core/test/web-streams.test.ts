import { createHash } from 'node:crypto';
import { SHUT_WR, type Socket } from '@sock/core';
import { pattern, rejection, sha256, turns, within } from '@sock/testkit';
import { expect } from 'chai';
import { pair } from './support/families.js';
import { eachPair } from './support/operations.js';

describe('Web streams', () => {
  let a: Socket<string>;
  let b: Socket<string>;
  const stack = eachPair((first, second) => {
    a = first;
    b = second;
  });

  it('are the same each time', () => {
    expect(a.readable).to.equal(a.readable);
    expect(a.writable).to.equal(a.writable);
    expect(a.readable).to.not.equal(b.readable);
    a.readable.getReader();
    expect(a.readable.locked).to.equal(true);
  });

  it('carry data in both directions, to the end', async () => {
    const data = pattern(1_500_000);
    const writing = (async () => {
      const writer = a.writable.getWriter();
      await writer.write(data.subarray(0, 10));
      await writer.write(data.subarray(10));
      await writer.close();
    })();
    const hash = createHash('sha256');
    for await (const chunk of b.readable) hash.update(chunk);
    await writing;
    expect(hash.digest('hex')).to.equal(sha256(data));
    expect([a.closed, b.closed]).to.deep.equal([false, false]);
    b.sendSync('the other way');
    expect(String(a.recvSync(100))).to.equal('the other way');
  });

  it('read nothing before somebody asks', async () => {
    const { readable } = a;
    b.sendSync('still here');
    await turns(5);
    expect(String(a.tryRecv(100))).to.equal('still here');
    await readable.cancel();
  });

  it('read into the memory that the reader brings', async () => {
    const reader = a.readable.getReader({ mode: 'byob' });
    b.sendSync('into your memory');
    const first = await reader.read(new Uint8Array(4));
    expect([Buffer.from(first.value ?? []).toString(), first.done]).to.deep.equal(['into', false]);
    const second = await reader.read(new Uint8Array(new ArrayBuffer(100), 10, 50));
    expect(Buffer.from(second.value ?? []).toString()).to.equal(' your memory');
    b.shutdown(SHUT_WR);
    const last = await reader.read(new Uint8Array(4));
    expect([last.done, last.value?.length]).to.deep.equal([true, 0]);
  });

  it('a slow reader slows the peer down', async () => {
    const reader = a.readable.getReader();
    const sending = b.sendAll(Buffer.alloc(3_000_000)).then(() => 'sent');
    await reader.read();
    await turns(10);
    expect(await Promise.race([sending, turns(10).then(() => 'waits')])).to.equal('waits');
    let total = 0;
    while (total < 2_000_000) total += (await reader.read()).value?.length ?? 0;
    reader.releaseLock();
    for await (const chunk of a.readable.values({ preventCancel: true })) {
      total += chunk.length;
      if (total > 2_900_000) break;
    }
    const rest = a.chunks();
    while ((await Promise.race([sending, turns(1)])) === undefined) await rest.next();
  });

  it('a write is done when all of it was handed to the kernel', async () => {
    const writer = a.writable.getWriter();
    const written = writer.write(Buffer.alloc(1_000_000)).then(() => 'written');
    expect(await Promise.race([written, turns(10).then(() => 'waits')])).to.equal('waits');
    let total = 0;
    while (total < 1_000_000) total += (await b.recv(65_536)).length;
    expect(await within('write', written)).to.equal('written');
    await writer.write('text, too');
    expect(String(await b.recv(100))).to.equal('text, too');
    const bad = rejection(writer.write(7 as never));
    writer.closed.catch(() => {});
    expect(await bad).to.include({ argument: 'chunk', code: 'ERR_INVALID_ARG_TYPE' });
  });

  it('cancelling and aborting shut down their directions, whatever was pending', async () => {
    const reader = a.readable.getReader();
    const reading = reader.read();
    await turns(2);
    await reader.cancel('enough');
    expect((await within('read', reading)).done).to.equal(true);
    expect(await rejection(b.send('x'))).to.include({ code: 'EPIPE' });
    const [c, d] = pair();
    stack.use(c);
    stack.use(d);
    await c.writable.abort('enough');
    expect((await d.recv(1)).length).to.equal(0);
    d.sendSync('answer');
    expect(String(c.recvSync(10))).to.equal('answer');
  });

  it('closing the socket errors the streams, and ends nothing unhandled', async () => {
    const reader = a.readable.getReader();
    const reading = rejection(reader.read());
    const writer = a.writable.getWriter();
    const writing = rejection(writer.write(Buffer.alloc(5_000_000)));
    writer.closed.catch(() => {});
    reader.closed.catch(() => {});
    await turns(2);
    a.close();
    expect((await within('read', reading)).code).to.equal('ECANCELED');
    expect((await within('write', writing)).code).to.equal('ECANCELED');
    const [c, d] = pair();
    c.close();
    d.close();
    expect((await rejection(c.readable.getReader().read())).code).to.equal('EBADF');
    await c.readable.cancel().catch(() => {});
    await c.writable.close();
  });

  it('can be piped', async () => {
    const [c, d] = pair();
    stack.use(c);
    stack.use(d);
    const through = a.readable.pipeTo(c.writable);
    b.sendSync('through two sockets');
    expect(String(await d.recv(100))).to.equal('through two sockets');
    b.shutdown(SHUT_WR);
    await within('pipeTo', through);
    expect((await d.recv(1)).length).to.equal(0);
  });

  it('as the body of a response', async () => {
    b.sendSync('a body');
    b.shutdown(SHUT_WR);
    expect(await new Response(a.readable).text()).to.equal('a body');
  });
});
