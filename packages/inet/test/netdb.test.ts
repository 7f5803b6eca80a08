import dns from 'node:dns/promises';
import { hostname } from 'node:os';
import {
  AddressInfoError,
  AF_INET,
  AF_INET6,
  AF_UNIX,
  HostError,
  SOCK_DGRAM,
  SOCK_STREAM,
  SocketError,
} from '@sock/core';
import {
  AI_CANONNAME,
  AI_IDN,
  AI_NUMERICHOST,
  AI_NUMERICSERV,
  AI_PASSIVE,
  EAI_NONAME,
  getaddrinfo,
  getaddrinfoSync,
  getfqdn,
  getfqdnSync,
  gethostbyaddr,
  gethostbyaddrSync,
  gethostbyname,
  gethostbyname_ex,
  gethostbyname_exSync,
  gethostbynameSync,
  gethostname,
  getnameinfo,
  getnameinfoSync,
  getprotobyname,
  getservbyname,
  getservbyport,
  HOST_NOT_FOUND,
  IPPROTO_TCP,
  IPPROTO_UDP,
  NI_DGRAM,
  NI_NAMEREQD,
  NI_NUMERICHOST,
  NI_NUMERICSERV,
  sethostname,
} from '@sock/inet';
import { describeIf, itIf, python, rejection, runNode, runPython, thrown } from '@sock/testkit';
import { expect } from 'chai';
import { namespaces } from './namespace.js';

// no dot and a space: no resolver asks a server for it
const UNKNOWN = 'no such name';

/** Both forms of a look-up as promises. */
const forms = {
  getaddrinfo: {
    promise: getaddrinfo,
    Sync: async (...args: Parameters<typeof getaddrinfoSync>) => getaddrinfoSync(...args),
  },
  getnameinfo: {
    promise: getnameinfo,
    Sync: async (...args: Parameters<typeof getnameinfoSync>) => getnameinfoSync(...args),
  },
  gethostbyname: { promise: gethostbyname, Sync: async (name: string) => gethostbynameSync(name) },
  gethostbyname_ex: { promise: gethostbyname_ex, Sync: async (name: string) => gethostbyname_exSync(name) },
  gethostbyaddr: { promise: gethostbyaddr, Sync: async (name: string) => gethostbyaddrSync(name) },
  getfqdn: { promise: getfqdn, Sync: async (name?: string) => getfqdnSync(name) },
};

for (const form of ['promise', 'Sync'] as const) {
  const lookup = forms.getaddrinfo[form];

  describe(`getaddrinfo, ${form} form`, () => {
    it('gives numeric addresses with all socket types', async () => {
      const found = await lookup('127.0.0.1', 80);
      for (const info of found) {
        expect(info).to.deep.include({
          family: AF_INET,
          canonicalName: null,
          address: { host: '127.0.0.1', port: 80 },
        });
      }
      expect(found.map(({ type }) => type)).to.include.members([SOCK_STREAM, SOCK_DGRAM]);
    });

    it('gives IPv6 addresses with their scope', async () => {
      const [info] = await lookup('::1', null, { type: SOCK_STREAM });
      expect(info).to.deep.equal({
        family: AF_INET6,
        type: SOCK_STREAM,
        protocol: IPPROTO_TCP,
        canonicalName: null,
        address: { host: '::1', port: 0, flowinfo: 0, scopeid: 0 },
      });
      const [scoped] = await lookup('fe80::1%lo', 9);
      expect(scoped?.address).to.deep.equal({ host: 'fe80::1', port: 9, flowinfo: 0, scopeid: 1 });
    });

    it('is narrowed down by family, type and protocol', async () => {
      const found = await lookup('localhost', null, { family: AF_INET, type: SOCK_DGRAM, protocol: IPPROTO_UDP });
      expect(found).to.deep.equal([
        {
          family: AF_INET,
          type: SOCK_DGRAM,
          protocol: IPPROTO_UDP,
          canonicalName: null,
          address: { host: '127.0.0.1', port: 0 },
        },
      ]);
    });

    it('knows services by name, and forbids that with AI_NUMERICSERV', async () => {
      const [info] = await lookup('127.0.0.1', 'http', { type: SOCK_STREAM });
      expect(info?.address.port).to.equal(80);
      const error = await rejection(lookup('127.0.0.1', 'http', { flags: AI_NUMERICSERV }));
      expect(error).to.include({ code: 'EAI_NONAME' });
    });

    it('gives this machine for no host', async () => {
      const [any] = await lookup(null, 9, { family: AF_INET, flags: AI_PASSIVE });
      expect(any?.address).to.deep.equal({ host: '0.0.0.0', port: 9 });
      const [loopback] = await lookup(null, 9, { family: AF_INET });
      expect(loopback?.address).to.deep.equal({ host: '127.0.0.1', port: 9 });
    });

    it('gives the official name with AI_CANONNAME', async () => {
      const found = await lookup('localhost', 9, { flags: AI_CANONNAME, family: AF_INET });
      expect(found[0]?.canonicalName).to.equal('localhost');
      expect(found.slice(1).every(({ canonicalName }) => canonicalName === null)).to.equal(true);
    });

    it('fails with EAI_NONAME for what nobody knows', async () => {
      const error = await rejection(lookup(UNKNOWN));
      expect(error).to.be.instanceOf(AddressInfoError).and.instanceOf(SocketError);
      expect(error).to.include({ code: 'EAI_NONAME', errno: EAI_NONAME, syscall: 'getaddrinfo' });
      expect(error.message).to.include(UNKNOWN);
      expect(await rejection(lookup('localhost', null, { flags: AI_NUMERICHOST }))).to.include({ code: 'EAI_NONAME' });
      expect(await rejection(lookup(null, null))).to.include({ code: 'EAI_NONAME' });
    });

    it('fails with the other EAI_ codes', async () => {
      expect(await rejection(lookup('127.0.0.1', 'no-such-service'))).to.include({ code: 'EAI_SERVICE' });
      expect(await rejection(lookup('127.0.0.1', 1, { family: AF_UNIX }))).to.include({ code: 'EAI_FAMILY' });
      expect(await rejection(lookup('127.0.0.1', 1, { type: 77 }))).to.include({ code: 'EAI_SOCKTYPE' });
      expect(await rejection(lookup('127.0.0.1', 1, { flags: 0x40000000 }))).to.include({ code: 'EAI_BADFLAGS' });
      expect(await rejection(lookup('127.0.0.1', 1, { family: AF_INET6 }))).to.include({ code: 'EAI_ADDRFAMILY' });
    });

    it('writes international names as the databases have them', async () => {
      const error = await rejection(lookup('bücher und space'));
      expect(error).to.have.property('argument', 'host');
      const asked = await rejection(lookup('ünbekannt', null, { flags: AI_NUMERICHOST }));
      expect(asked.message).to.include('xn--nbekannt-55a');
    });

    it('leaves international names to the library with AI_IDN', async () => {
      const error = await rejection(lookup('ünbekannt', null, { flags: AI_NUMERICHOST | AI_IDN }));
      expect(error).to.be.instanceOf(SocketError);
      expect(error.message).to.not.include('xn--');
    });

    const bad: [what: string, args: unknown[], argument: string][] = [
      ['a host that is a number', [5], 'host'],
      ['a host that is missing', [undefined], 'host'],
      ['a host with NUL', ['a\0b'], 'host'],
      ['a service with a fraction', ['x', 1.5], 'service'],
      ['a service that is too large', ['x', 65_536], 'service'],
      ['a service that is an object', ['x', {}], 'service'],
      ['options that are null', ['x', 1, null], 'options'],
      ['a family that is a string', ['x', 1, { family: 'inet' }], 'options.family'],
      ['a negative type', ['x', 1, { type: -1 }], 'options.type'],
      ['a negative protocol', ['x', 1, { protocol: -1 }], 'options.protocol'],
      ['flags with a fraction', ['x', 1, { flags: 0.5 }], 'options.flags'],
    ];
    for (const [what, args, argument] of bad) {
      it(`says that ${argument} is wrong: ${what}`, async () => {
        expect(await rejection(lookup(...(args as Parameters<typeof getaddrinfoSync>)))).to.include({ argument });
      });
    }
  });

  describe(`getnameinfo, ${form} form`, () => {
    const lookup = forms.getnameinfo[form];

    it('gives names', async () => {
      const { host, service } = await lookup({ host: '127.0.0.1', port: 80 });
      expect(host).to.match(/^[a-z]/);
      expect(service).to.equal('http');
    });

    it('gives numbers where they are asked for', async () => {
      const flags = NI_NUMERICHOST | NI_NUMERICSERV;
      expect(await lookup({ host: '127.0.0.1', port: 80 }, flags)).to.deep.equal({ host: '127.0.0.1', service: '80' });
      expect(await lookup({ host: '::1', port: 80 }, flags)).to.deep.equal({ host: '::1', service: '80' });
      expect(await lookup({ host: 'fe80::1%lo', port: 1 }, flags)).to.deep.equal({ host: 'fe80::1%lo', service: '1' });
      expect(await lookup({ host: 'fe80::1', scopeid: 1 }, flags)).to.deep.equal({ host: 'fe80::1%lo', service: '0' });
      expect(await lookup({ host: '', port: 7 }, flags)).to.deep.equal({ host: '0.0.0.0', service: '7' });
    });

    it('knows services of datagrams', async () => {
      const { service } = await lookup({ host: '127.0.0.1', port: 514 }, NI_NUMERICHOST | NI_DGRAM);
      expect(service).to.equal('syslog');
    });

    it('gives a name where there must be one', async () => {
      const { host } = await lookup({ host: '127.0.0.1', port: 1 }, NI_NAMEREQD);
      expect(host).to.match(/^[a-z]/);
    });

    it('fails with the EAI_ codes', async () => {
      const error = await rejection(lookup({ host: '127.0.0.1', port: 1 }, 0x40000000));
      expect(error).to.be.instanceOf(AddressInfoError);
      expect(error).to.include({ code: 'EAI_BADFLAGS', syscall: 'getnameinfo' });
    });

    const bad: [what: string, args: unknown[], argument: string][] = [
      ['a name', [{ host: 'localhost' }], 'address.host'],
      ['an address that is a string', ['127.0.0.1'], 'address'],
      ['a port that is too large', [{ host: '127.0.0.1', port: 65_536 }], 'address.port'],
      ['flags that are a string', [{ host: '127.0.0.1' }, '1'], 'flags'],
    ];
    for (const [what, args, argument] of bad) {
      it(`says that ${argument} is wrong: ${what}`, async () => {
        expect(await rejection(lookup(...(args as Parameters<typeof getnameinfoSync>)))).to.include({ argument });
      });
    }
  });

  describe(`the host database, ${form} form`, () => {
    it('gethostbyname gives an IPv4 address', async () => {
      const lookup = forms.gethostbyname[form];
      expect(await lookup('localhost')).to.equal('127.0.0.1');
      expect(await lookup('10.1.2.3')).to.equal('10.1.2.3');
      expect(await lookup('')).to.equal('0.0.0.0');
      expect(await lookup('<broadcast>')).to.equal('255.255.255.255');
      expect(await rejection(lookup(UNKNOWN))).to.include({ name: 'AddressInfoError', code: 'EAI_NONAME' });
      expect(await rejection(lookup(5 as never))).to.include({ argument: 'name' });
    });

    it('gethostbyname_ex gives names and addresses', async () => {
      const lookup = forms.gethostbyname_ex[form];
      const { name, aliases, addresses } = await lookup('localhost');
      expect(name).to.equal('localhost');
      expect(aliases).to.be.an('array');
      expect(addresses).to.include('127.0.0.1');
      const error = await rejection(lookup(UNKNOWN));
      expect(error).to.be.instanceOf(HostError).and.instanceOf(SocketError);
      expect(error).to.include({ code: 'HOST_NOT_FOUND', errno: HOST_NOT_FOUND, syscall: 'gethostbyname' });
      expect(await rejection(lookup('a\0'))).to.include({ argument: 'name' });
    });

    it('gethostbyaddr gives names of an address or of a name', async () => {
      const lookup = forms.gethostbyaddr[form];
      const info = await lookup('127.0.0.1');
      expect(info.name).to.match(/^[a-z]/);
      expect(info.addresses).to.deep.equal(['127.0.0.1']);
      expect(await lookup('localhost')).to.deep.equal(info);
      expect(await rejection(lookup(UNKNOWN))).to.include({ code: 'EAI_NONAME' });
      expect(await rejection(lookup(null as never))).to.include({ argument: 'address' });
    });

    it('getfqdn gives the best name there is', async () => {
      const lookup = forms.getfqdn[form];
      expect(await lookup(UNKNOWN)).to.equal(UNKNOWN);
      expect(await lookup(` ${UNKNOWN} `)).to.equal(UNKNOWN);
      expect(await lookup()).to.equal(await lookup('0.0.0.0'));
      expect(await lookup(''))
        .to.be.a('string')
        .and.not.equal('');
      expect(await rejection(lookup(5 as never))).to.include({ argument: 'name' });
    }).timeout(30_000);
  });
}

describe('look-ups that are called off', () => {
  const calls: [name: string, call: (signal: AbortSignal) => Promise<unknown>][] = [
    ['getaddrinfo', (signal) => getaddrinfo('localhost', null, { signal })],
    ['getnameinfo', (signal) => getnameinfo({ host: '127.0.0.1' }, 0, { signal })],
    ['gethostbyname', (signal) => gethostbyname('localhost', { signal })],
    ['gethostbyname_ex', (signal) => gethostbyname_ex('localhost', { signal })],
    ['gethostbyaddr', (signal) => gethostbyaddr('127.0.0.1', { signal })],
    ['gethostbyaddr of a name', (signal) => gethostbyaddr('localhost', { signal })],
    ['getfqdn', (signal) => getfqdn('localhost', { signal })],
  ];
  for (const [name, call] of calls) {
    it(`${name} rejects with the reason`, async () => {
      const reason = new Error('enough');
      expect(await rejection(call(AbortSignal.abort(reason)))).to.equal(reason);
      const controller = new AbortController();
      const pending = call(controller.signal);
      controller.abort(reason);
      expect(await rejection(pending)).to.equal(reason);
      expect(await rejection(call('signal' as never))).to.include({ argument: 'options.signal' });
      await call(new AbortController().signal);
    });
  }
});

describe('the other databases', () => {
  it('getservbyname gives ports', () => {
    expect(getservbyname('http')).to.equal(80);
    expect(getservbyname('domain', 'udp')).to.equal(53);
    const error = thrown(() => getservbyname('http', 'udp0'));
    expect(error).to.be.instanceOf(SocketError);
    expect(error).to.include({ code: 'ENOENT', syscall: 'getservbyname' });
    expect(thrown(() => getservbyname(80 as never))).to.include({ argument: 'name' });
    expect(thrown(() => getservbyname('http', 6 as never))).to.include({ argument: 'protocol' });
  });

  it('getservbyport gives services', () => {
    expect(getservbyport(80)).to.equal('http');
    expect(getservbyport(53, 'udp')).to.equal('domain');
    expect(thrown(() => getservbyport(1, 'udp0'))).to.include({ code: 'ENOENT', syscall: 'getservbyport' });
    for (const port of [-1, 65_536, 0.5]) expect(thrown(() => getservbyport(port))).to.include({ argument: 'port' });
  });

  it('getprotobyname gives numbers', () => {
    expect(getprotobyname('tcp')).to.equal(IPPROTO_TCP);
    expect(getprotobyname('UDP')).to.equal(IPPROTO_UDP);
    expect(thrown(() => getprotobyname('nosuch'))).to.include({ code: 'ENOENT', syscall: 'getprotobyname' });
    expect(thrown(() => getprotobyname(undefined as never))).to.include({ argument: 'name' });
  });

  it('gethostname gives the name that Node gives', () => {
    expect(gethostname()).to.equal(hostname());
  });

  it('sethostname takes text without NUL', () => {
    expect(thrown(() => sethostname(5 as never))).to.include({ argument: 'name' });
    expect(thrown(() => sethostname('a\0'))).to.include({ argument: 'name' });
    expect(thrown(() => sethostname('x'.repeat(65)))).to.have.property('syscall', 'sethostname');
  });

  itIf(namespaces, 'sethostname names the machine', async () => {
    const program = `
      import { execFileSync } from 'node:child_process';
      const program = \`
        import { gethostname, sethostname } from '@sock/inet';
        sethostname('sock-test');
        console.log(gethostname());
      \`;
      process.stdout.write(execFileSync('unshare', ['-ru', process.execPath, '--input-type=module', '-e', program]));
    `;
    const { stdout, stderr } = await runNode(program);
    expect(stdout, stderr).to.equal('sock-test\n');
  });
});

describeIf(python, 'the databases as CPython has them', () => {
  it('getaddrinfo', async () => {
    const program = `
import json, socket
calls = [('localhost', 'http', 0, 0, 0, 0), ('127.0.0.1', 'domain', 0, 0, 0, 0), ('::1', 80, 0, 2, 0, 0),
         (None, 80, 0, 1, 0, 1), (None, 80, 0, 1, 0, 0), ('0x7f.1', 1, 2, 1, 0, 0), ('localhost', None, 2, 0, 0, 2)]
print(json.dumps([[c, [[f, t, p, list(a)] for f, t, p, _, a in socket.getaddrinfo(*c)]] for c in calls]))
`;
    type Row = [number, number, number, [string, number, number?, number?]];
    type Call = [string | null, string | number | null, number, number, number, number];
    const results = JSON.parse(await runPython(program)) as [Call, Row[]][];
    for (const [[host, service, family, type, protocol, flags], rows] of results) {
      const ours = await getaddrinfo(host, service, { family, type, protocol, flags });
      const theirs = rows.map(([family, type, protocol, [host, port, flowinfo = 0, scopeid = 0]]) => ({
        family,
        type,
        protocol,
        address: family === AF_INET6 ? { host, port, flowinfo, scopeid } : { host, port },
      }));
      expect(ours.map(({ canonicalName: _, ...rest }) => rest)).to.deep.equal(theirs);
    }
  });

  it('names', async () => {
    const program = `
import json, socket
print(json.dumps([socket.gethostname(), socket.getfqdn(), socket.getfqdn('localhost'),
  socket.gethostbyname('localhost'),
  socket.gethostbyname_ex('localhost'), socket.gethostbyaddr('127.0.0.1'),
  socket.getnameinfo(('127.0.0.1', 80), 0), socket.getservbyname('https', 'tcp'), socket.getservbyport(25),
  socket.getprotobyname('icmp')]))
`;
    const theirs = JSON.parse(await runPython(program));
    const list = ({ name, aliases, addresses }: { name: string; aliases: string[]; addresses: string[] }) => [
      name,
      aliases,
      addresses,
    ];
    const { host, service } = await getnameinfo({ host: '127.0.0.1', port: 80 });
    expect([
      gethostname(),
      await getfqdn(),
      await getfqdn('localhost'),
      await gethostbyname('localhost'),
      list(await gethostbyname_ex('localhost')),
      list(await gethostbyaddr('127.0.0.1')),
      [host, service],
      getservbyname('https', 'tcp'),
      getservbyport(25),
      getprotobyname('icmp'),
    ]).to.deep.equal(theirs);
  }).timeout(60_000);
});

it('getaddrinfo agrees with node:dns', async () => {
  const theirs = await dns.lookup('localhost', { all: true, verbatim: true });
  const ours = await getaddrinfo('localhost', null, { type: SOCK_STREAM });
  expect(ours.map(({ address }) => address.host)).to.deep.equal(theirs.map(({ address }) => address));
});
