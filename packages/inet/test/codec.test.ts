import { isIPv4, isIPv6 } from 'node:net';
import {
  AF_INET,
  AF_INET6,
  EncodedAddress,
  if_nametoindex,
  SOCK_DGRAM,
  SOCK_STREAM,
  Socket,
  type SocketInfo,
  UnknownAddress,
  writeU16,
  writeU32,
} from '@sock/core';
import { type Inet6Input, type InetInput, IPPROTO_MPTCP, inet, inet6 } from '@sock/inet';
import { describeIf, itIf, probe, rejection, thrown } from '@sock/testkit';
import { expect } from 'chai';
import fc from 'fast-check';
import { almostAddress, ipv4, ipv6, ipv6Bytes, port } from './arbitraries.js';
import { mptcp } from './capabilities.js';

const info = (domain: number): SocketInfo => ({
  domain,
  type: SOCK_STREAM,
  protocol: 0,
  interfaceIndex: if_nametoindex,
  interfaceName: () => undefined,
});

function encode(family: typeof inet | typeof inet6, input: Inet6Input): Buffer {
  const into = Buffer.alloc(128);
  writeU16(into, family.domain, 0);
  return into.subarray(0, family.encode(input, into, info(family.domain)));
}

const encode4 = (input: InetInput) => encode(inet, input);
const encode6 = (input: Inet6Input) => encode(inet6, input);
const decode4 = (bytes: Uint8Array) => inet.decode(bytes, info(AF_INET));
const decode6 = (bytes: Uint8Array) => inet6.decode(bytes, info(AF_INET6));

describe('inet codec', () => {
  it('is AF_INET', () => {
    expect(inet).to.include({ name: 'inet', domain: AF_INET });
  });

  it('writes a struct sockaddr_in', () => {
    const bytes = encode4({ host: '192.0.2.33', port: 0x1234 });
    expect(bytes.subarray(2).toString('hex')).to.equal(`1234c0000221${'00'.repeat(8)}`);
    expect(bytes.length).to.equal(16);
  });

  it('takes an empty host, or none, as any address, and no port as 0', () => {
    const any = { host: '0.0.0.0', port: 0 };
    for (const input of [{}, { host: '' }, { port: 0 }, { host: '0.0.0.0', port: 0 }]) {
      encode4({ host: '9.9.9.9' });
      expect(decode4(encode4(input))).to.deep.equal(any);
    }
  });

  it('knows <broadcast>', () => {
    expect(decode4(encode4({ host: '<broadcast>', port: 9 }))).to.deep.equal({ host: '255.255.255.255', port: 9 });
  });

  it('gives back what was put in', () => {
    fc.assert(
      fc.property(ipv4, port, (host, number) => {
        const address = { host, port: number };
        expect(decode4(encode4(address))).to.deep.equal(address);
      }),
    );
  });

  it('gives the same for the same address again and again, with others in between', () => {
    fc.assert(
      fc.property(fc.array(ipv4, { minLength: 1, maxLength: 3 }), fc.array(fc.nat({ max: 2 })), (hosts, order) => {
        for (const index of order) {
          const host = hosts[index % hosts.length] as string;
          expect(decode4(encode4({ host })).host).to.equal(host);
        }
      }),
    );
  });

  it('survives any bytes of any length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        if (bytes.length < 8) {
          expect(() => decode4(bytes)).to.throw(RangeError);
          return;
        }
        const { host } = decode4(bytes);
        expect(isIPv4(host)).to.equal(true);
      }),
    );
  });

  it('takes as numeric what is, and nothing else', () => {
    fc.assert(
      fc.property(almostAddress, (host) => {
        fc.pre(host !== '');
        if (isIPv4(host)) encode4({ host });
        else expect(thrown(() => encode4({ host }))).to.include({ argument: 'address.host', code: 'ERR_OUT_OF_RANGE' });
      }),
      { numRuns: 500 },
    );
  });

  it('formats host and port', () => {
    expect(inet.format({ host: '127.0.0.1', port: 80 })).to.equal('127.0.0.1:80');
    expect(inet.format({ host: '::1', port: 80 })).to.equal('[::1]:80');
  });
});

describe('inet6 codec', () => {
  it('is AF_INET6', () => {
    expect(inet6).to.include({ name: 'inet6', domain: AF_INET6 });
  });

  it('writes a struct sockaddr_in6', () => {
    const bytes = encode6({ host: '2001:db8::5', port: 0x1234, flowinfo: 0x54321, scopeid: 7 });
    expect(bytes.subarray(2, 24).toString('hex')).to.equal('12340005432120010db8000000000000000000000005');
    const scope = new Uint8Array(4);
    writeU32(scope, 7, 0);
    expect([...bytes.subarray(24)]).to.deep.equal([...scope]);
  });

  it('takes an empty host, or none, as any address, and the rest as 0', () => {
    const any = { host: '::', port: 0, flowinfo: 0, scopeid: 0 };
    for (const input of [{}, { host: '' }, { port: 0 }, { host: '::' }]) {
      encode6({ host: 'ff::9' });
      expect(decode6(encode6(input))).to.deep.equal(any);
    }
  });

  it('gives back what was put in', () => {
    const field = fc.record({
      host: ipv6Bytes.map((bytes) => decode6(Buffer.concat([Buffer.alloc(8), bytes, Buffer.alloc(4)])).host),
      port,
      flowinfo: fc.integer({ min: 0, max: 0xfffff }),
      scopeid: fc.integer({ min: 0, max: 0xffffffff }),
    });
    fc.assert(
      fc.property(field, (address) => {
        expect(decode6(encode6(address))).to.deep.equal(address);
      }),
    );
  });

  it('reads every way to write an address, and writes it in one', () => {
    fc.assert(
      fc.property(ipv6, (host) => {
        const { host: text } = decode6(encode6({ host }));
        expect(decode6(encode6({ host: text })).host).to.equal(text);
        expect(text).to.equal(text.toLowerCase());
        expect(encode6({ host }).equals(encode6({ host: text }))).to.equal(true);
      }),
    );
  });

  it('survives any bytes of any length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        if (bytes.length < 24) {
          expect(() => decode6(bytes)).to.throw(RangeError);
          return;
        }
        expect(isIPv6(decode6(bytes).host)).to.equal(true);
      }),
    );
  });

  it('takes as numeric what is, and nothing else', () => {
    fc.assert(
      fc.property(almostAddress, (host) => {
        fc.pre(host !== '' && !host.includes('%'));
        if (isIPv6(host)) encode6({ host });
        else expect(thrown(() => encode6({ host }))).to.include({ argument: 'address.host', code: 'ERR_OUT_OF_RANGE' });
      }),
      { numRuns: 500 },
    );
  });

  it('takes a scope by name or index behind a %', () => {
    const lo = if_nametoindex('lo');
    for (const host of ['fe80::1%lo', `fe80::1%${lo}`]) {
      expect(decode6(encode6({ host }))).to.deep.equal({ host: 'fe80::1', port: 0, flowinfo: 0, scopeid: lo });
      expect(decode6(encode6({ host, scopeid: lo })).scopeid).to.equal(lo);
      expect(thrown(() => encode6({ host, scopeid: lo + 1 }))).to.include({ argument: 'address.scopeid' });
    }
    expect(decode6(encode6({ host: 'fe80::1' })).scopeid, 'a scope is not kept').to.equal(0);
    expect(thrown(() => encode6({ host: 'fe80::1%' }))).to.include({ argument: 'address.host' });
    expect(thrown(() => encode6({ host: 'fe80::1%4294967296' }))).to.include({ argument: 'address.host' });
    expect(thrown(() => encode6({ host: 'fe80::1%nosuch0' }))).to.include({ code: 'ENODEV' });
  });

  it('formats host, scope and port', () => {
    expect(inet6.format({ host: '::1', port: 80, flowinfo: 0, scopeid: 0 })).to.equal('[::1]:80');
    expect(inet6.format({ host: 'fe80::1', port: 80, flowinfo: 0, scopeid: 2 })).to.equal('[fe80::1%2]:80');
  });

  it('says how to write an IPv4 address', () => {
    expect(thrown(() => encode6({ host: '192.0.2.1' })).message).to.include('::ffff:192.0.2.1');
  });
});

describe('addresses that are wrong', () => {
  const type = 'ERR_INVALID_ARG_TYPE';
  const range = 'ERR_OUT_OF_RANGE';
  const both: [what: string, input: unknown, argument: string, code: string][] = [
    ['a string', '127.0.0.1', 'address', type],
    ['a number', 80, 'address', type],
    ['an array, as in Python', ['127.0.0.1', 80], 'address', type],
    ['bytes', new Uint8Array(16), 'address', type],
    ['an address of unix', Buffer.from('\0name'), 'address', type],
    ['an address of vsock', { cid: 1, port: 80 }, 'address', range],
    ['an address of netlink', { pid: 1, groups: 0 }, 'address', range],
    ['an address of packet', { interface: 'lo', protocol: 3 }, 'address', range],
    ['a host that is null', { host: null }, 'address.host', type],
    ['a host that is a number', { host: 1 }, 'address.host', type],
    ['a host with NUL', { host: '127.0.0.1\0' }, 'address.host', range],
    ['a name', { host: 'localhost' }, 'address.host', range],
    ['a port that is a string', { port: '80' }, 'address.port', type],
    ['a port that is null', { port: null }, 'address.port', type],
    ['a port that is negative', { port: -1 }, 'address.port', range],
    ['a port that is too large', { port: 65_536 }, 'address.port', range],
    ['a port with a fraction', { port: 80.5 }, 'address.port', range],
    ['a port that is NaN', { port: Number.NaN }, 'address.port', range],
  ];
  const only6: typeof both = [
    ['a flow label that is too large', { host: '::1', flowinfo: 0x100000 }, 'address.flowinfo', range],
    ['a flow label that is negative', { host: '::1', flowinfo: -1 }, 'address.flowinfo', range],
    ['a flow label that is a string', { host: '::1', flowinfo: '1' }, 'address.flowinfo', type],
    ['a scope that is too large', { host: '::1', scopeid: 2 ** 32 }, 'address.scopeid', range],
    ['a scope that is a name', { host: '::1', scopeid: 'lo' }, 'address.scopeid', type],
    ['IPv4', { host: '127.0.0.1' }, 'address.host', range],
  ];
  const only4: typeof both = [
    ['IPv6', { host: '::1', port: 1, flowinfo: 0, scopeid: 0 }, 'address.host', range],
    ['too few parts', { host: '127.1' }, 'address.host', range],
    ['leading zeros', { host: '127.0.0.01' }, 'address.host', range],
  ];
  for (const [family, list] of [
    [inet, [...both, ...only4]],
    [inet6, [...both, ...only6]],
  ] as const) {
    for (const [what, input, argument, code] of list) {
      it(`${family.name}: ${what} is an error about ${argument}`, () => {
        const error = thrown(() => encode(family, input as Inet6Input));
        expect(error).to.be.instanceOf(code === type ? TypeError : RangeError);
        expect(error).to.include({ argument, code });
      });
    }
  }

  it('name the forms that resolve names', () => {
    using socket = new Socket(inet, SOCK_DGRAM);
    const error = thrown(() => socket.trySendTo('x', { host: 'localhost', port: 9 }));
    expect(error).to.include({ argument: 'address.host' });
    expect(error.message).to.include('promise and Sync forms resolve names');
  });

  it('reject the promise where they are found out while resolving', async () => {
    using socket = new Socket(inet6, SOCK_DGRAM);
    expect(await rejection(socket.bind({ host: 'a\0b' }))).to.include({ argument: 'address.host' });
    expect(await rejection(socket.bind({ host: '127.0.0.1' }))).to.include({ argument: 'address.host' });
    expect(await rejection(socket.bind('::1' as Inet6Input))).to.include({ argument: 'address' });
  });
});

describe('the kernel agrees with the codec', () => {
  it('on IPv4 addresses', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 254 }), fc.integer({ min: 0, max: 255 }), (c, d) => {
        using socket = new Socket(inet, SOCK_DGRAM);
        const host = `127.${c}.${d}.1`;
        socket.tryBind({ host });
        const bound = socket.getsockname();
        expect(bound.host).to.equal(host);
        expect(bound.port).to.be.greaterThan(0);
        using peer = new Socket(inet, SOCK_DGRAM);
        peer.tryConnect(bound);
        expect(peer.getpeername()).to.deep.equal(bound);
      }),
      { numRuns: 30 },
    );
  });

  describeIf(probe('AF_INET6'), 'on IPv6 addresses', () => {
    it('that are bound', () => {
      using socket = new Socket(inet6, SOCK_DGRAM);
      socket.tryBind({ host: '::1' });
      const bound = socket.getsockname();
      expect(bound).to.include({ host: '::1', flowinfo: 0, scopeid: 0 });
      using peer = new Socket(inet6, SOCK_DGRAM);
      peer.tryConnect(bound);
      expect(peer.getpeername()).to.deep.equal(bound);
    });

    it('that are mapped', () => {
      using socket = new Socket(inet6, SOCK_DGRAM);
      socket.tryBind({ host: '::ffff:127.0.0.1' });
      expect(socket.getsockname().host).to.equal('::ffff:127.0.0.1');
    });

    it('with a scope', () => {
      using socket = new Socket(inet6, SOCK_DGRAM);
      const lo = if_nametoindex('lo');
      socket.tryBind({ host: 'ff02::1%lo' });
      expect(socket.getsockname()).to.include({ host: 'ff02::1', flowinfo: 0, scopeid: lo });
    });
  });

  it('and an encoded address is as good as its original', async () => {
    using receiver = new Socket(inet, SOCK_DGRAM);
    receiver.tryBind({ host: '127.0.0.1' });
    using sender = new Socket(inet, SOCK_DGRAM);
    const kept = sender.encodeAddress(receiver.getsockname());
    expect(kept).to.be.instanceOf(EncodedAddress);
    await sender.sendTo('once', kept);
    await sender.sendTo('twice', kept);
    expect((await receiver.recv(10)).toString()).to.equal('once');
    expect((await receiver.recv(10)).toString()).to.equal('twice');
  });

  it('and an address of another family stays bytes', () => {
    using socket = new Socket(inet, SOCK_DGRAM);
    socket.tryBind({ host: '127.0.0.1' });
    using view = Socket.duplicate(socket.fileno(), inet);
    expect(view.getsockname()).to.deep.equal(socket.getsockname());
    using unknown = Socket.duplicate(socket.fileno());
    expect(unknown.getsockname()).to.be.instanceOf(UnknownAddress);
  });
});

describe('names in addresses', () => {
  it('are resolved by the promise forms', async () => {
    using socket = new Socket(inet, SOCK_DGRAM);
    await socket.bind({ host: 'localhost' });
    expect(socket.getsockname().host).to.equal('127.0.0.1');
    await socket.sendTo('to myself', { host: 'localhost', port: socket.getsockname().port });
    expect(await socket.recvFrom(20)).to.deep.include({ address: socket.getsockname() });
  });

  it('are resolved by the Sync forms', () => {
    using socket = new Socket(inet, SOCK_DGRAM);
    socket.bindSync({ host: 'localhost' });
    socket.sendToSync('to myself', { host: 'localhost', port: socket.getsockname().port });
    expect(socket.recvSync(20).toString()).to.equal('to myself');
  });

  itIf(mptcp, 'are resolved for sockets that the resolver knows nothing of', async () => {
    using socket = new Socket(inet, SOCK_STREAM, IPPROTO_MPTCP);
    await socket.bind({ host: 'localhost' });
    expect(socket.getsockname().host).to.equal('127.0.0.1');
  });

  it('that nobody knows are an error of the resolver', async () => {
    using socket = new Socket(inet, SOCK_DGRAM);
    const unknown = { host: 'no such name', port: 1 };
    expect(await rejection(socket.connect(unknown))).to.include({ name: 'AddressInfoError', code: 'EAI_NONAME' });
    expect(thrown(() => socket.connectSync(unknown))).to.include({ name: 'AddressInfoError', code: 'EAI_NONAME' });
  });

  it('end with the signal', async () => {
    using socket = new Socket(inet, SOCK_DGRAM);
    const reason = new Error('enough');
    const controller = new AbortController();
    const connecting = socket.connect({ host: 'localhost', port: 1 }, { signal: controller.signal });
    controller.abort(reason);
    expect(await rejection(connecting)).to.equal(reason);
  });
});
