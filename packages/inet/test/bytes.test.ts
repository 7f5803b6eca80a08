import { AF_INET, AF_INET6, AF_UNIX } from '@sock/core';
import { htonl, htons, inet_aton, inet_ntoa, inet_ntop, inet_pton, ntohl, ntohs } from '@sock/inet';
import { describeIf, inLab, itIf, python, runPython, thrown } from '@sock/testkit';
import { expect } from 'chai';
import fc from 'fast-check';
import { almostAddress, ipv4, ipv6, ipv6Bytes } from './arbitraries.js';

/** What a call gives, as hexadecimal or text, or `null` where it throws a RangeError. */
function outcome(call: () => Buffer | string): string | null {
  try {
    const value = call();
    return typeof value === 'string' ? value : value.toString('hex');
  } catch (error) {
    expect(error).to.be.instanceOf(RangeError);
    return null;
  }
}

/** What Python's functions of the same name give for a list of [function, argument] pairs. */
async function inPython(calls: readonly (readonly [string, string])[]): Promise<(string | null)[]> {
  const program = `
import json, socket, sys
def call(name, value):
    try:
        if name == 'inet_aton': return socket.inet_aton(value).hex()
        if name == 'inet_ntoa': return socket.inet_ntoa(bytes.fromhex(value))
        if name == 'pton4': return socket.inet_pton(socket.AF_INET, value).hex()
        if name == 'pton6': return socket.inet_pton(socket.AF_INET6, value).hex()
        if name == 'ntop4': return socket.inet_ntop(socket.AF_INET, bytes.fromhex(value))
        if name == 'ntop6': return socket.inet_ntop(socket.AF_INET6, bytes.fromhex(value))
    except (OSError, ValueError): return None
print(json.dumps([call(*c) for c in json.load(sys.stdin)]))
`;
  return JSON.parse(await runPython(program, [], { input: JSON.stringify(calls) })) as (string | null)[];
}

const OURS: Readonly<Record<string, (value: string) => Buffer | string>> = {
  inet_aton,
  inet_ntoa: (value) => inet_ntoa(Buffer.from(value, 'hex')),
  pton4: (value) => inet_pton(AF_INET, value),
  pton6: (value) => inet_pton(AF_INET6, value),
  ntop4: (value) => inet_ntop(AF_INET, Buffer.from(value, 'hex')),
  ntop6: (value) => inet_ntop(AF_INET6, Buffer.from(value, 'hex')),
};

async function agree(calls: readonly (readonly [string, string])[]): Promise<void> {
  const theirs = await inPython(calls);
  for (const [i, [name, value]] of calls.entries()) {
    const ours = outcome(() => (OURS[name] as (value: string) => Buffer | string)(value));
    expect(ours, `${name}(${JSON.stringify(value)})`).to.equal(theirs[i]);
  }
}

// no kernel has a say in these: what CPython makes of them, the host shows
const describeHere = inLab ? () => {} : describe;

describeHere('byte order', () => {
  for (const [there, back, max, sample, bytes] of [
    [htons, ntohs, 0xffff, 0x1234, '1234'],
    [htonl, ntohl, 0xffffffff, 0x12345678, '12345678'],
  ] as const) {
    it(`${there.name} puts the high byte first, and ${back.name} turns it back`, () => {
      const array = max === 0xffff ? Uint16Array.of(there(sample)) : Uint32Array.of(there(sample));
      expect(Buffer.from(array.buffer).toString('hex')).to.equal(bytes);
      fc.assert(fc.property(fc.integer({ min: 0, max }), (value) => back(there(value)) === value));
      expect(there(max)).to.equal(max);
    });

    it(`${there.name} and ${back.name} take 0 to ${max}`, () => {
      for (const call of [there, back]) {
        for (const value of [-1, max + 1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
          expect(thrown(() => call(value))).to.include({ argument: 'value', code: 'ERR_OUT_OF_RANGE' });
        }
        for (const value of ['1', null, undefined, 1n]) {
          expect(thrown(() => call(value as never))).to.include({ argument: 'value', code: 'ERR_INVALID_ARG_TYPE' });
        }
      }
    });
  }
});

describeHere('addresses as text and bytes', () => {
  it('inet_pton and inet_ntop are each other', () => {
    fc.assert(fc.property(ipv4, (text) => inet_ntop(AF_INET, inet_pton(AF_INET, text)) === text));
    fc.assert(fc.property(ipv6Bytes, (bytes) => inet_pton(AF_INET6, inet_ntop(AF_INET6, bytes)).equals(bytes)));
    fc.assert(fc.property(ipv4, (text) => inet_ntoa(inet_aton(text)) === text));
  });

  it('take bytes in any form', () => {
    const { buffer } = Uint8Array.of(127, 0, 0, 1);
    expect(inet_ntoa(buffer)).to.equal('127.0.0.1');
    expect(inet_ntoa(new DataView(buffer))).to.equal('127.0.0.1');
    expect(inet_ntop(AF_INET, buffer)).to.equal('127.0.0.1');
  });

  const bad: [what: string, call: () => unknown, argument: string, code: string][] = [
    ['inet_pton of another family', () => inet_pton(AF_UNIX, 'x'), 'family', 'ERR_OUT_OF_RANGE'],
    ['inet_pton of a family by name', () => inet_pton('inet' as never, 'x'), 'family', 'ERR_INVALID_ARG_TYPE'],
    ['inet_pton of a number', () => inet_pton(AF_INET, 1 as never), 'address', 'ERR_INVALID_ARG_TYPE'],
    ['inet_pton of a name', () => inet_pton(AF_INET, 'localhost'), 'address', 'ERR_OUT_OF_RANGE'],
    ['inet_pton of a scope', () => inet_pton(AF_INET6, 'fe80::1%lo'), 'address', 'ERR_OUT_OF_RANGE'],
    ['inet_pton of NUL', () => inet_pton(AF_INET, '127.0.0.1\0'), 'address', 'ERR_OUT_OF_RANGE'],
    ['inet_ntop of another family', () => inet_ntop(AF_UNIX, new Uint8Array(4)), 'family', 'ERR_OUT_OF_RANGE'],
    ['inet_ntop of too few bytes', () => inet_ntop(AF_INET6, new Uint8Array(15)), 'packed', 'ERR_OUT_OF_RANGE'],
    ['inet_ntop of text', () => inet_ntop(AF_INET, 'abcd' as never), 'packed', 'ERR_INVALID_ARG_TYPE'],
    ['inet_ntoa of too many bytes', () => inet_ntoa(new Uint8Array(5)), 'packed', 'ERR_OUT_OF_RANGE'],
    ['inet_ntoa of nothing', () => inet_ntoa(undefined as never), 'packed', 'ERR_INVALID_ARG_TYPE'],
    ['inet_aton of nothing', () => inet_aton(undefined as never), 'address', 'ERR_INVALID_ARG_TYPE'],
    ['inet_aton of an empty text', () => inet_aton(''), 'address', 'ERR_OUT_OF_RANGE'],
  ];
  for (const [what, call, argument, code] of bad) {
    it(`${what} is an error about ${argument}`, () => {
      expect(thrown(call)).to.include({ argument, code });
    });
  }

  const oddities: [text: string, bytes: string][] = [
    ['1', '00000001'],
    ['127.1', '7f000001'],
    ['127.1.2', '7f010002'],
    ['0x7f.1', '7f000001'],
    ['0X7F.0.0.1', '7f000001'],
    ['0177.0.0.01', '7f000001'],
    ['2130706433', '7f000001'],
    ['0x7f000001', '7f000001'],
    ['4294967295', 'ffffffff'],
    ['1.16777215', '01ffffff'],
    ['1.2.65535', '0102ffff'],
    ['1.2.3.4 ', '01020304'],
    ['1.2.3.4\tand more', '01020304'],
  ];
  for (const [text, bytes] of oddities) {
    it(`inet_aton takes ${JSON.stringify(text)}`, () => {
      expect(inet_aton(text).toString('hex')).to.equal(bytes);
    });
  }
  for (const text of [
    '4294967296',
    '1.16777216',
    '1.2.65536',
    '1.2.3.256',
    '256.1',
    '08',
    '0x',
    '1.',
    '.1',
    ' 1',
    '1.2.3.4.5',
    '1x',
    '-1',
  ]) {
    it(`inet_aton does not take ${JSON.stringify(text)}`, () => {
      expect(thrown(() => inet_aton(text))).to.include({ argument: 'address', code: 'ERR_OUT_OF_RANGE' });
    });
  }

  describeIf(python, 'as CPython has them', () => {
    it('inet_aton', async () => {
      const parts = fc.array(
        fc.constantFrom('0', '1', '9', '08', '010', '0x', '0xfF', '255', '256', '65536', '4294967295', ''),
        {
          minLength: 1,
          maxLength: 5,
        },
      );
      const texts = fc
        .tuple(parts, fc.constantFrom('', ' ', '\n', 'x', ' x', '.', '\v1'))
        .map(([list, end]) => list.join('.') + end);
      await agree(fc.sample(texts, 500).map((text) => ['inet_aton', text] as const));
      await agree(oddities.map(([text]) => ['inet_aton', text] as const));
    });

    it('inet_pton, of what is an address and of what nearly is', async () => {
      const texts = [...fc.sample(almostAddress, 500), ...fc.sample(ipv6, 200), ...fc.sample(ipv4, 50)];
      await agree(texts.flatMap((text) => [['pton4', text] as const, ['pton6', text] as const]));
      const cases = [
        '::',
        ':',
        '1::',
        '::1:',
        ':::',
        '1:2:3:4:5:6:7::',
        '1::2:3:4:5:6:7:8',
        '::1.2.3.4',
        '1:2:3:4:5:6:1.2.3.4',
      ];
      const more = [
        '1:2:3:4:5:6:7:1.2.3.4',
        '::1.2.3',
        '::01.2.3.4',
        '12345::',
        'ABCD::ef',
        '1:2:3:4:5:6:7:8',
        '1:2',
        '::1.2.3.4:5',
      ];
      await agree([...cases, ...more].map((text) => ['pton6', text] as const));
    });

    it('inet_ntop', async () => {
      const samples = [
        ...fc.sample(ipv6Bytes, 500),
        Buffer.alloc(16),
        Buffer.from(`${'00'.repeat(10)}ffff01020304`, 'hex'),
      ];
      const more = [Buffer.from(`${'00'.repeat(12)}01020304`, 'hex'), Buffer.from(`${'00'.repeat(15)}01`, 'hex')];
      await agree([...samples, ...more].map((bytes) => ['ntop6', bytes.toString('hex')] as const));
      await agree(
        [...samples].flatMap((bytes) => [
          ['ntop4', bytes.toString('hex', 0, 4)] as const,
          ['inet_ntoa', bytes.toString('hex', 4, 8)] as const,
        ]),
      );
    });
  });

  itIf(python, 'byte order is that of CPython', async () => {
    const program =
      'import socket; print(socket.htons(0x1234), socket.ntohs(1), socket.htonl(0x12345678), socket.ntohl(1))';
    const theirs = (await runPython(program)).trim().split(' ').map(Number);
    expect([htons(0x1234), ntohs(1), htonl(0x12345678), ntohl(1)]).to.deep.equal(theirs);
  });
});
