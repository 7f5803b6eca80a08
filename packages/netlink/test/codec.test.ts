import {
  AF_NETLINK,
  EncodedAddress,
  SOCK_DGRAM,
  SOCK_RAW,
  Socket,
  type SocketError,
  writeU16,
  writeU32,
} from '@sock/core';
import {
  NETLINK_ROUTE,
  NETLINK_USERSOCK,
  type NetlinkAddress,
  type NetlinkInput,
  netlink,
  RTMGRP_LINK,
} from '@sock/netlink';
import { itIf, probe, rejection, runs, socketInfo, thrown, unique, within } from '@sock/testkit';
import { expect } from 'chai';
import fc from 'fast-check';

const info = socketInfo(AF_NETLINK, { type: SOCK_RAW });

function encode(input: NetlinkInput): Buffer {
  const into = Buffer.alloc(128);
  writeU16(into, AF_NETLINK, 0);
  return into.subarray(0, netlink.encode(input, into, info));
}

const decode = (bytes: Uint8Array): NetlinkAddress => netlink.decode(bytes, info);

const u32 = fc.integer({ min: 0, max: 0xffffffff });

const fresh = (): number => 0x40000000 + (unique() % 0x40000000);

describe('netlink codec', () => {
  it('is AF_NETLINK, and NETLINK_ROUTE unless told', () => {
    expect(netlink).to.include({ name: 'netlink', domain: AF_NETLINK, type: SOCK_RAW, protocol: NETLINK_ROUTE });
  });

  it('writes a struct sockaddr_nl', () => {
    const expected = new Uint8Array(12);
    writeU16(expected, AF_NETLINK, 0);
    writeU32(expected, 0x12345678, 4);
    writeU32(expected, 0x80000001, 8);
    expect([...encode({ pid: 0x12345678, groups: 0x80000001 })]).to.deep.equal([...expected]);
  });

  it('takes the kernel and no groups for what is left out', () => {
    for (const input of [{}, { pid: 0 }, { groups: 0 }]) {
      expect(decode(encode(input))).to.deep.equal({ pid: 0, groups: 0 });
    }
  });

  it('takes groups that were or-ed together in JavaScript', () => {
    expect(decode(encode({ groups: (1 << 31) | RTMGRP_LINK }))).to.deep.equal({ pid: 0, groups: 0x80000001 });
  });

  it('gives back what was put in', () => {
    fc.assert(
      fc.property(u32, u32, (pid, groups) => {
        expect(decode(encode({ pid, groups }))).to.deep.equal({ pid, groups });
      }),
      { numRuns: runs() },
    );
  });

  it('survives any bytes of any length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 24 }), (bytes) => {
        if (bytes.length < 12) expect(() => decode(bytes)).to.throw(RangeError);
        else expect(Object.keys(decode(bytes))).to.deep.equal(['pid', 'groups']);
      }),
      { numRuns: runs() },
    );
  });

  it('formats for people', () => {
    expect(netlink.format({ pid: 0, groups: 0 })).to.equal('kernel');
    expect(netlink.format({ pid: 7, groups: 0 })).to.equal('pid 7');
    expect(netlink.format({ pid: 0, groups: 0x11 })).to.equal('kernel, groups 0x11');
  });

  // some groups are not for everybody
  itIf(probe('root'), 'the kernel agrees', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0x7fffffff }), (groups) => {
        using socket = new Socket(netlink, SOCK_RAW, NETLINK_ROUTE);
        const pid = fresh();
        socket.tryBind({ pid, groups });
        expect(socket.getsockname()).to.deep.equal({ pid, groups });
      }),
      { numRuns: runs(20) },
    );
  });
});

describe('netlink addresses in use', () => {
  it('the kernel chooses a port for whom gives none, and its own is 0', () => {
    using socket = new Socket(netlink);
    expect(socket.getsockname()).to.deep.equal({ pid: 0, groups: 0 });
    socket.bindSync({});
    expect(socket.getsockname().pid).to.be.greaterThan(0);
    // there is always a peer
    expect(socket.getpeername()).to.deep.equal({ pid: 0, groups: 0 });
  });

  it('a port that is taken is EADDRINUSE, and the message says what to do', async () => {
    using first = new Socket(netlink);
    using second = new Socket(netlink);
    const pid = fresh();
    await first.bind({ pid });
    const error = await rejection(second.bind({ pid }));
    expect(error).to.include({ code: 'EADDRINUSE', syscall: 'bind' });
    expect(error.message).to.contain('give 0 to let the kernel choose');
  });

  it('programs send to each other by port', async () => {
    using a = new Socket(netlink, SOCK_DGRAM, NETLINK_USERSOCK);
    using b = new Socket(netlink, SOCK_DGRAM, NETLINK_USERSOCK);
    const [pidA, pidB] = [fresh(), fresh()];
    await a.bind({ pid: pidA });
    await b.bind({ pid: pidB });
    await a.sendTo('to you', { pid: pidB });
    const direct = await within('the message', b.recvFrom(100));
    expect(direct.data.toString()).to.equal('to you');
    expect(direct.address).to.deep.equal({ pid: pidA, groups: 0 });
    expect(b.encodeAddress({ pid: 1 })).to.be.instanceOf(EncodedAddress);
  });

  itIf(probe('root'), 'and to groups', async () => {
    using a = new Socket(netlink, SOCK_DGRAM, NETLINK_USERSOCK);
    using b = new Socket(netlink, SOCK_DGRAM, NETLINK_USERSOCK);
    const pidA = fresh();
    await a.bind({ pid: pidA });
    await b.bind({ groups: 1 << 3 });
    // what goes to groups goes to one socket too, the kernel's unless told, which this protocol has not
    const refused = await rejection(a.sendTo('to all', { groups: 1 << 3 }));
    expect(refused).to.include({ code: 'ECONNREFUSED' });
    const multicast = await within('the message', b.recvFrom(100));
    expect(multicast.data.toString()).to.equal('to all');
    expect(multicast.address).to.deep.equal({ pid: pidA, groups: 1 << 3 });
  });

  it('nobody at a port is ECONNREFUSED', () => {
    using socket = new Socket(netlink, SOCK_RAW, NETLINK_USERSOCK);
    const error = thrown(() => socket.trySendTo('x', { pid: fresh() }));
    expect(error).to.include({ code: 'ECONNREFUSED' });
    expect(error.message).to.contain('no socket of this protocol has that pid');
  });

  it('a protocol that the kernel lacks is EPROTONOSUPPORT, and the message names it', () => {
    const error = thrown(() => new Socket(netlink, SOCK_RAW, 29));
    expect(error).to.include({ code: 'EPROTONOSUPPORT', syscall: 'socket' });
    expect(error.message).to.contain('this kernel has no netlink protocol 29');
  });

  it('no message without bytes can be sent', () => {
    using socket = new Socket(netlink, SOCK_RAW, NETLINK_USERSOCK);
    try {
      // older kernels drop it
      socket.trySendTo('', { pid: 0 });
    } catch (error) {
      expect((error as SocketError).code).to.be.oneOf(['ENODATA', 'ECONNREFUSED']);
    }
  });

  it('a receiver without room makes its sender wait', async () => {
    using a = new Socket(netlink, SOCK_RAW, NETLINK_USERSOCK);
    using b = new Socket(netlink, SOCK_RAW, NETLINK_USERSOCK);
    await b.bind({});
    await a.connect(b.getsockname());
    const piece = Buffer.alloc(4096, 'p');
    let sent = 0;
    while (a.trySend(piece) !== null) {
      sent++;
      expect(sent).to.be.lessThan(100_000);
    }
    expect(await rejection(a.send(piece, { timeout: 20 }))).to.include({ code: 'ETIMEDOUT' });
    expect(thrown(() => a.sendSync(piece, { timeout: 0 }))).to.include({ code: 'EAGAIN' });
    const waiting = a.send('last');
    for (let i = 0; i < sent; i++) expect((await within('a piece', b.recv(8192))).equals(piece)).to.equal(true);
    expect(await within('the sender', waiting)).to.equal(4);
    expect((await within('the last', b.recv(8192))).toString()).to.equal('last');
  });
});
