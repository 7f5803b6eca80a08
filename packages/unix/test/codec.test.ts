import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AF_UNIX,
  readI32,
  readU32,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  Socket,
  type SocketError,
  writeU16,
} from '@sock/core';
import { socketInfo, thrown } from '@sock/testkit';
import {
  scmCredentials,
  scmPidFd,
  scmSecurity,
  soPeerCred,
  soPeerGroups,
  soPeerSec,
  UNIX_PATH_MAX,
  unix,
} from '@sock/unix';
import { expect } from 'chai';
import fc from 'fast-check';

const info = socketInfo(AF_UNIX, { type: SOCK_STREAM });

function encode(input: string | Uint8Array): Buffer {
  const into = Buffer.alloc(128);
  writeU16(into, AF_UNIX, 0);
  return into.subarray(0, unix.encode(input, into, info));
}

const decode = (sockaddr: Uint8Array): string | Buffer => unix.decode(sockaddr, info);

const pathBytes = fc.uint8Array({ min: 1, max: 255, minLength: 1, maxLength: 107 });
const abstractBytes = fc.uint8Array({ maxLength: 107 }).map((rest) => Buffer.concat([Buffer.of(0), rest]));

describe('unix addresses', () => {
  it('are themselves after a round trip', () => {
    fc.assert(
      fc.property(fc.oneof(pathBytes, abstractBytes), (bytes) => {
        const address = decode(encode(bytes));
        expect(Buffer.from(address as Buffer)).to.deep.equal(Buffer.from(bytes));
        expect(decode(encode(address))).to.deep.equal(address);
      }),
    );
  });

  it('are strings where a path is UTF-8, with or without a NUL at its end', () => {
    const path = fc.string({ unit: 'binary', maxLength: 26 }).filter((text) => !text.includes('\0'));
    fc.assert(
      fc.property(path, (text) => {
        const sockaddr = encode(text);
        expect(decode(sockaddr)).to.equal(text);
        if (text !== '') expect(decode(Buffer.concat([sockaddr, Buffer.of(0)]))).to.equal(text);
      }),
    );
    expect(decode(encode('\ufeffmark'))).to.equal('\ufeffmark');
  });

  it('take abstract names as strings too', () => {
    expect(encode('\0a\0b').subarray(2)).to.deep.equal(Buffer.from('\0a\0b'));
    expect(decode(encode('\0a\0b'))).to.deep.equal(Buffer.from('\0a\0b'));
    expect(decode(encode('\0'))).to.deep.equal(Buffer.of(0));
  });

  it('are unnamed when there is nothing after the family', () => {
    expect(encode('')).to.have.length(2);
    expect(encode(new Uint8Array())).to.have.length(2);
    expect(decode(encode(''))).to.equal('');
  });

  it('never crash on what the kernel might give, whole or cut off', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 128 }), fc.nat(128), (bytes, length) => {
        const sockaddr = bytes.subarray(0, length);
        const address = decode(sockaddr);
        expect(unix.format(address)).to.be.a('string').and.not.equal('');
        if (Buffer.byteLength(address) <= 107) expect(encode(address).subarray(2)).to.deep.equal(Buffer.from(address));
      }),
    );
  });

  it('do not share memory with what they were decoded from', () => {
    const sockaddr = encode('\0name');
    const address = decode(sockaddr);
    sockaddr.fill(1, 2);
    expect(address).to.deep.equal(Buffer.from('\0name'));
  });

  it('refuse what is too long, naming the limit and the remedy', () => {
    expect(UNIX_PATH_MAX).to.equal(108);
    const path = thrown(() => encode('x'.repeat(108)));
    expect(path).to.be.instanceOf(RangeError);
    expect(path).to.include({ code: 'ERR_OUT_OF_RANGE', argument: 'address' });
    expect(path.message).to.include('107 bytes').and.include('108').and.include('/proc/self/fd/');
    expect(thrown(() => encode('é'.repeat(54)))).to.be.instanceOf(RangeError);
    const abstract = thrown(() => encode(`\0${'x'.repeat(108)}`));
    expect(abstract.message).to.include('108 bytes').and.include('109');
    expect(encode('x'.repeat(107))).to.have.length(109);
    expect(encode(`\0${'x'.repeat(107)}`)).to.have.length(110);
  });

  it('refuse NUL inside a path, lone surrogates and what is neither string nor bytes', () => {
    for (const input of ['a\0b', Buffer.from('a\0'), '\ud800']) {
      expect(thrown(() => encode(input))).to.include({ code: 'ERR_OUT_OF_RANGE', argument: 'address' });
    }
    for (const input of [undefined, null, 1, {}, ['a'], new ArrayBuffer(2), { host: 'x', port: 1 }]) {
      const error = thrown(() => encode(input as unknown as string));
      expect(error).to.be.instanceOf(TypeError);
      expect(error).to.include({ code: 'ERR_INVALID_ARG_TYPE', argument: 'address' });
    }
  });

  it('are formatted for people', () => {
    expect(unix.format('/run/a socket')).to.equal('/run/a socket');
    expect(unix.format('/run/é\n\x1b[2J')).to.equal('/run/é\\x0a\\x1b[2J');
    expect(unix.format('')).to.equal('(unnamed)');
    expect(unix.format(Buffer.from('\0a\0b\xff', 'latin1'))).to.equal('@a\\x00b\\xff');
    expect(unix.format('\0name')).to.equal('@name');
    expect(unix.format(Buffer.from('/x\xff', 'latin1'))).to.equal('/x\\xff');
  });
});

describe('unix structures', () => {
  it('credentials are themselves after a round trip', () => {
    const number = fc.integer({ min: 0, max: 0xffffffff });
    fc.assert(
      fc.property(fc.record({ pid: fc.nat(0x7fffffff), uid: number, gid: number }), (value) => {
        const item = scmCredentials.create(value);
        expect(scmCredentials.find([item])).to.deep.equal(value);
        expect(soPeerCred.decode(Buffer.from(item.data), info)).to.deep.equal(value);
      }),
    );
  });

  it('credentials left out are this process', () => {
    const value = scmCredentials.find([scmCredentials.create({})]);
    expect(value).to.deep.equal({ pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() });
  });

  it('credentials out of range are refused before any call', () => {
    expect(thrown(() => scmCredentials.create({ pid: -1 }))).to.include({ argument: 'value.pid' });
    expect(thrown(() => scmCredentials.create({ uid: 2 ** 32 }))).to.include({ code: 'ERR_OUT_OF_RANGE' });
    expect(thrown(() => scmCredentials.create({ gid: 1.5 }))).to.include({ argument: 'value.gid' });
    expect(thrown(() => scmCredentials.create(null as unknown as object))).to.include({ code: 'ERR_INVALID_ARG_TYPE' });
  });

  it('decoders take random and truncated bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const items = [scmCredentials, scmSecurity, scmPidFd].map(({ level, type }) => ({
          level: level ?? -1,
          type: type ?? -1,
          data: bytes,
        }));
        expect(scmCredentials.findAll(items)).to.have.length(bytes.length >= 12 ? 1 : 0);
        expect(scmSecurity.find(items)).to.be.a('string');
        expect(scmPidFd.find(items)).to.equal(bytes.length >= 4 ? readI32(bytes, 0) : undefined);
        const groups = soPeerGroups.decode(Buffer.from(bytes), info);
        expect(groups).to.have.length(Math.floor(bytes.length / 4));
        if (bytes.length >= 4) expect(groups[0]).to.equal(readU32(bytes, 0));
      }),
    );
  });

  it('labels end at their NUL, where they have one', () => {
    expect(soPeerSec.decode(Buffer.from('unconfined\0'), info)).to.equal('unconfined');
    expect(soPeerSec.decode(Buffer.from('unconfined'), info)).to.equal('unconfined');
  });

  it('what the kernel only sends cannot be made', () => {
    expect(thrown(() => scmSecurity.create('label' as never))).to.be.instanceOf(TypeError);
    expect(thrown(() => scmPidFd.create(1 as never))).to.be.instanceOf(TypeError);
  });
});

describe('unix addresses in the kernel', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'sock-unix-codec-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  function bound(input: string | Uint8Array): string | Buffer {
    using socket = new Socket(unix, SOCK_DGRAM);
    socket.bindSync(input);
    return socket.getsockname();
  }

  it('come back as bound: a path, the longest path, bytes that are not UTF-8', () => {
    const short = join(folder, 'näme');
    expect(bound(short)).to.equal(short);
    expect(statSync(short).isSocket()).to.equal(true);

    const longest = `${folder}/${'x'.repeat(107 - folder.length - 1)}`;
    expect(Buffer.byteLength(longest)).to.equal(107);
    expect(bound(longest)).to.equal(longest);
    expect(statSync(longest).isSocket()).to.equal(true);

    const bytes = Buffer.concat([Buffer.from(`${folder}/`), Buffer.of(0xff, 0xfe, 0x80)]);
    expect(bound(bytes)).to.deep.equal(bytes);
    expect(statSync(bytes).isSocket()).to.equal(true);
  });

  it('come back as bound: abstract names, with NUL inside, of all lengths', () => {
    const unique = `\0sock-test-${process.pid}`;
    expect(bound(unique)).to.deep.equal(Buffer.from(unique));
    expect(bound(`${unique}\0\0x\0`)).to.deep.equal(Buffer.from(`${unique}\0\0x\0`));
    const longest = Buffer.alloc(108, 0xff);
    longest[0] = 0;
    longest.write(unique, 0);
    expect(bound(longest)).to.deep.equal(longest);
  });

  it('any bytes at all', () => {
    const tail = fc.uint8Array({ maxLength: 70 });
    fc.assert(
      fc.property(tail, (bytes) => {
        const name = Buffer.concat([Buffer.from(`\0sock-any-${process.pid}-`), bytes]);
        expect(bound(name)).to.deep.equal(name);
      }),
      { numRuns: 50 },
    );
    const segment = fc.uint8Array({ min: 1, max: 255, minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(segment, (bytes) => {
        const path = Buffer.concat([Buffer.from(`${folder}/p`), bytes.filter((byte) => byte !== 0x2f)]);
        expect(Buffer.from(bound(path) as Buffer)).to.deep.equal(path);
        rmSync(path);
      }),
      { numRuns: 50 },
    );
  });

  it("autobind gives '' a free abstract name; unbound is ''", () => {
    using socket = new Socket(unix, SOCK_STREAM);
    expect(socket.getsockname()).to.equal('');
    socket.bindSync('');
    const name = socket.getsockname() as Buffer;
    expect(name).to.have.length(6);
    expect(name[0]).to.equal(0);
    expect(name.toString('latin1', 1)).to.match(/^[0-9a-f]{5}$/);
    expect(unix.format(name)).to.match(/^@[0-9a-f]{5}$/);
  });

  it('a receiver is told the name of the sender, on every type of socket, and null where it has none', async () => {
    for (const type of [SOCK_STREAM, SOCK_SEQPACKET]) {
      using listener = new Socket(unix, type);
      await listener.bind('');
      listener.listen();
      for (const name of ['', `\0sock-sender-${process.pid}-${type}`]) {
        using client = new Socket(unix, type);
        if (name !== '') await client.bind(name);
        await client.connect(listener.getsockname());
        const { socket, address } = await listener.accept();
        using peer = socket;
        await client.send('x');
        const { address: sender } = await peer.recvFrom(10);
        if (name === '') {
          expect(address).to.equal('');
          expect(sender).to.equal(null);
        } else {
          expect(address).to.deep.equal(Buffer.from(name));
          expect(sender).to.deep.equal(Buffer.from(name));
          expect(peer.getpeername()).to.deep.equal(Buffer.from(name));
        }
      }
    }
  });

  it('a path that is too long is refused, and found through a descriptor of its directory', () => {
    const directory = join(folder, 'd'.repeat(100));
    mkdirSync(directory);
    using socket = new Socket(unix, SOCK_STREAM);
    expect(() => socket.bindSync(join(directory, 'name'))).to.throw(RangeError, /107/);
    expect(socket.getsockname()).to.equal('');
    const fd = openSync(directory, 'r');
    socket.bindSync(`/proc/self/fd/${fd}/name`);
    closeSync(fd);
    expect(statSync(join(directory, 'name')).isSocket()).to.equal(true);
  });

  it('errors say what can be done', async () => {
    const path = join(folder, 'taken');
    using first = new Socket(unix, SOCK_STREAM);
    first.bindSync(path);
    const failures: [string, RegExp, () => Promise<unknown>][] = [];
    const fails = (
      code: string,
      text: RegExp,
      action: (socket: Socket<string | Buffer, string | Uint8Array>) => Promise<unknown>,
      type = SOCK_STREAM,
    ): void => {
      failures.push([
        code,
        text,
        async () => {
          using socket = new Socket(unix, type);
          await action(socket);
        },
      ]);
    };
    fails('EADDRINUSE', /unlink/, (s) => s.bind(path));
    fails('ENOENT', /directory/, (s) => s.bind(join(folder, 'no', 'where')));
    fails('ENOENT', /no such path/, (s) => s.connect(join(folder, 'nobody')));
    fails('ECONNREFUSED', /nobody/, (s) => s.connect(path));
    fails('ECONNREFUSED', /nobody/, (s) => s.connect(`\0sock-none-${process.pid}`));
    fails('EPROTOTYPE', /another type/, (s) => s.connect(path), SOCK_DGRAM);
    fails('ENOENT', /no such path/, (s) => s.sendTo('x', join(folder, 'nobody')), SOCK_DGRAM);
    fails('EINVAL', /address already/, async (s) => {
      await s.bind(join(folder, 'once'));
      await s.bind(join(folder, 'twice'));
    });
    fails('EPROTONOSUPPORT', /protocols/, async () => new Socket(unix, SOCK_STREAM, 17));
    fails('ESOCKTNOSUPPORT', /SOCK_SEQPACKET/, async () => new Socket(unix, 4));
    for (const [code, text, action] of failures) {
      let error: SocketError | undefined;
      await action().catch((reason: SocketError) => {
        error = reason;
      });
      expect(error, `${code} ${text}`).to.include({ code });
      expect(error?.message).to.match(text);
    }
  });
});
