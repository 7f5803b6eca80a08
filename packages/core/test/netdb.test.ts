import { readFileSync } from 'node:fs';
import {
  AddressInfoError,
  AF_INET,
  AF_INET6,
  HostError,
  readU16BE,
  SOCK_DGRAM,
  SOCK_STREAM,
  SocketError,
} from '@sock/core';
import {
  type AddressInfoHints,
  getaddrinfo,
  getaddrinfoSync,
  gethostbyaddr,
  gethostbyaddrSync,
  gethostbyname,
  gethostbynameSync,
  gethostname,
  getnameinfo,
  getnameinfoSync,
  getprotobyname,
  getservbyname,
  getservbyport,
  type RawAddressInfo,
  type RawHost,
  sethostname,
} from '@sock/core/netdb';
import { itIf, rejection, runPython, thrown } from '@sock/testkit';
import { expect } from 'chai';

// of netdb.h, which the core does not name
const AI_NUMERICHOST = 4;
const AI_PASSIVE = 1;
const AI_CANONNAME = 2;
const NI_NUMERIC = 3;
const NI_NAMEREQD = 8;
const EAI_NONAME = -2;

const LOCAL = Buffer.from('02000050' + '7f000001' + '0000000000000000', 'hex');
LOCAL.writeUInt16LE(AF_INET);

type Lookup = (node: string | null, service: string | null, hints?: AddressInfoHints) => Promise<RawAddressInfo[]>;
const ADDRESSES: readonly [string, Lookup][] = [
  ['getaddrinfo', getaddrinfo],
  ['getaddrinfoSync', async (...args) => getaddrinfoSync(...args)],
];

describe('the name databases', () => {
  for (const [name, lookup] of ADDRESSES) {
    describe(name, () => {
      it('gives sockaddrs', async () => {
        const found = await lookup('127.0.0.1', '80', { flags: AI_NUMERICHOST, type: SOCK_STREAM });
        expect(found).to.have.length(1);
        expect(found[0]).to.include({ family: AF_INET, type: SOCK_STREAM, protocol: 6, canonicalName: null });
        expect(Buffer.from(found[0]?.sockaddr ?? [])).to.deep.equal(LOCAL);
        const six = await lookup('::1', null, { family: AF_INET6, type: SOCK_DGRAM });
        expect([six[0]?.family, six[0]?.protocol, six[0]?.sockaddr.length]).to.deep.equal([AF_INET6, 17, 28]);
        const any = await lookup(null, '0', { flags: AI_PASSIVE, family: AF_INET });
        expect(any.length).to.be.at.least(2);
        expect(any[0]?.sockaddr.subarray(4, 8)).to.deep.equal(Buffer.alloc(4));
        const named = await lookup('localhost', null, { flags: AI_CANONNAME, family: AF_INET });
        expect(named[0]?.canonicalName).to.be.a('string');
      });

      it('fails with the EAI code', async () => {
        const error = await rejection(lookup('no.such.host', null, { flags: AI_NUMERICHOST }));
        expect(error).to.be.instanceOf(AddressInfoError);
        expect(error).to.include({ code: 'EAI_NONAME', errno: EAI_NONAME, syscall: 'getaddrinfo' });
        expect(error.message).to.match(/^getaddrinfo EAI_NONAME no\.such\.host: /);
        expect((await rejection(lookup('127.0.0.1', null, { flags: 0x7ffffff }))).code).to.equal('EAI_BADFLAGS');
        expect((await rejection(lookup('127.0.0.1', null, { family: 99 }))).code).to.equal('EAI_FAMILY');
        expect((await rejection(lookup('127.0.0.1', 'no-such-service'))).code).to.equal('EAI_SERVICE');
        expect((await rejection(lookup(null, null))).message).to.match(/^getaddrinfo EAI_NONAME \*: /);
      });

      it('refuses what is no name', async () => {
        expect(await rejection(lookup('a\0b', null))).to.include({ argument: 'host', code: 'ERR_OUT_OF_RANGE' });
        expect(await rejection(lookup(7 as never, null))).to.include({
          argument: 'host',
          code: 'ERR_INVALID_ARG_TYPE',
        });
        expect(await rejection(lookup(null, 'a\0b'))).to.include({ argument: 'service' });
      });
    });
  }

  it('getnameinfo, in both forms', async () => {
    expect(await getnameinfo(LOCAL, NI_NUMERIC)).to.deep.equal({ host: '127.0.0.1', service: '80' });
    expect(getnameinfoSync(LOCAL, NI_NUMERIC)).to.deep.equal({ host: '127.0.0.1', service: '80' });
    const nowhere = Buffer.from(LOCAL);
    nowhere.set([192, 0, 2, 1], 4);
    const error = await rejection(getnameinfo(nowhere, NI_NAMEREQD));
    expect(error).to.be.instanceOf(AddressInfoError).and.include({ syscall: 'getnameinfo' });
    expect(error.code).to.be.oneOf(['EAI_NONAME', 'EAI_AGAIN']);
    expect(thrown(() => getnameinfoSync(Buffer.of(1, 2, 3))).code).to.equal('EAI_FAMILY');
    expect(thrown(() => getnameinfoSync('x' as never))).to.include({ argument: 'sockaddr' });
    expect(await rejection(getnameinfo(null as never))).to.include({ argument: 'sockaddr' });
  });

  it('gethostbyname and gethostbyaddr, in both forms', async () => {
    const byName: RawHost[] = [await gethostbyname('localhost', AF_INET), gethostbynameSync('localhost', AF_INET)];
    for (const host of byName) {
      expect(host.name).to.be.a('string');
      expect(host.aliases).to.be.an('array');
      expect(host.addresses.map((address) => [...address])).to.deep.include([127, 0, 0, 1]);
    }
    const address = Uint8Array.of(127, 0, 0, 1);
    const hosts = readFileSync('/etc/hosts', 'utf8');
    if (/^127\.0\.0\.1\s/m.test(hosts)) {
      for (const host of [await gethostbyaddr(address, AF_INET), gethostbyaddrSync(address, AF_INET)]) {
        expect(host.name).to.be.a('string');
        expect(host.addresses.map((each) => [...each])).to.deep.equal([[127, 0, 0, 1]]);
      }
    }
    for (const error of [
      await rejection(gethostbyname('no.such.host.invalid', AF_INET)),
      thrown(() => gethostbynameSync('no.such.host.invalid', AF_INET)),
      thrown(() => gethostbyaddrSync(Uint8Array.of(192, 0, 2, 1), AF_INET)),
      await rejection(gethostbyaddr(Uint8Array.of(192, 0, 2, 1), AF_INET)),
    ]) {
      expect(error).to.be.instanceOf(HostError);
      expect(error.code).to.be.oneOf(['HOST_NOT_FOUND', 'TRY_AGAIN', 'NO_DATA']);
      expect(error.syscall).to.match(/^gethostby(name|addr)$/);
      expect(error.errno).to.be.within(1, 4);
    }
    expect(await rejection(gethostbyname('a\0', AF_INET))).to.include({ argument: 'name' });
    expect(await rejection(gethostbyaddr('x' as never, AF_INET))).to.include({ argument: 'address' });
    expect(thrown(() => gethostbyaddrSync(Uint8Array.of(1), AF_INET))).to.be.instanceOf(SocketError);
  });

  it("services and protocols, as Python's", async () => {
    const source = `
import json, socket
def ask(f, *a):
    try: return f(*a)
    except OSError: return None
print(json.dumps([ask(socket.getservbyname, 'http', 'tcp'), ask(socket.getservbyname, 'domain'),
  ask(socket.getservbyport, 53, 'udp'),
  ask(socket.getprotobyname, 'udp'), ask(socket.getservbyname, 'nothing'), ask(socket.getprotobyname, 'nothing')]))`;
    const ours = [
      getservbyname('http', 'tcp')?.port ?? null,
      getservbyname('domain', null)?.port ?? null,
      getservbyport(53, 'udp')?.name ?? null,
      getprotobyname('udp')?.number ?? null,
      getservbyname('nothing', null),
      getprotobyname('nothing'),
    ];
    expect(ours).to.deep.equal(JSON.parse(await runPython(source)));
    const http = getservbyname('http', 'tcp');
    if (http !== null) expect(http).to.deep.equal({ name: 'http', port: 80, protocol: 'tcp' });
    expect(getservbyport(1, 'no-such-protocol')).to.equal(null);
    expect(thrown(() => getservbyname(1 as never, null))).to.include({ argument: 'name' });
    expect(thrown(() => getservbyname('x', 1 as never))).to.include({ argument: 'protocol' });
    expect(thrown(() => getservbyport(1, 1 as never))).to.include({ argument: 'protocol' });
    expect(thrown(() => getprotobyname('\0'))).to.include({ argument: 'name' });
    expect(readU16BE(LOCAL, 2)).to.equal(80);
  });

  it('the name of this host', async () => {
    expect(`${gethostname()}\n`).to.equal(await runPython('import socket; print(socket.gethostname())'));
    expect(thrown(() => sethostname('nul\0'))).to.include({ argument: 'name' });
    expect(thrown(() => sethostname('x'.repeat(300))))
      .to.be.instanceOf(SocketError)
      .and.include({ syscall: 'sethostname' });
  });

  itIf('root', 'the name of this host can be set, to what it is', () => {
    sethostname(gethostname());
  });

  it('many look-ups at once', async () => {
    const all = Array.from({ length: 50 }, (_, i) => getaddrinfo('127.0.0.1', String(i + 1), { type: SOCK_STREAM }));
    const ports = (await Promise.all(all)).map(([first]) => readU16BE(first?.sockaddr ?? LOCAL, 2));
    expect(ports).to.deep.equal(Array.from({ length: 50 }, (_, i) => i + 1));
  });
});
