import { execFileSync } from 'node:child_process';
import type { BinaryFileMode, FileEncoding, FileNewline, TextFileMode } from '@sock/core';
import { describeIf, PYTHON, python } from '@sock/testkit';
import { expect } from 'chai';
import fc from 'fast-check';
import { pair } from './support/families.js';

/** Reads what it finds on a socket through `makefile`, as each case says. */
const PEER = `
import json, socket, sys
for line in sys.stdin:
    case = json.loads(line)
    a, b = socket.socketpair()
    b.sendall(bytes.fromhex(case['data']))
    b.close()
    options = {} if 'b' in case['mode'] else {'encoding': case['encoding'], 'newline': case['newline']}
    out = []
    with a, a.makefile(case['mode'], **options) as file:
        for name, limit in case['calls']:
            result = {'line': file.readline, 'read': file.read, 'all': lambda _: file.readlines()}[name](-1 if limit is None else limit)
            out.append(result if not isinstance(result, bytes) else result.hex())
    print(json.dumps([x if not isinstance(x, list) else [y if isinstance(y, str) else y.hex() for y in x] for x in out]))
`;

interface Case {
  data: string;
  mode: TextFileMode | BinaryFileMode;
  encoding: FileEncoding;
  newline: FileNewline;
  calls: ['line' | 'read' | 'all', number | null][];
}

const PYTHON_ENCODINGS: Partial<Record<FileEncoding, string>> = { utf16le: 'utf-16-le' };

const cases = fc
  .record({
    characters: fc.array(fc.constantFrom('a', 'b', 'é', '😀', '\r', '\n', '\r\n', '\0', '\u2028'), { maxLength: 25 }),
    mode: fc.constantFrom<TextFileMode | BinaryFileMode>('r', 'r', 'rb'),
    encoding: fc.constantFrom<FileEncoding>('utf8', 'utf16le', 'latin1', 'ascii'),
    newline: fc.constantFrom<FileNewline>(null, '', '\n', '\r', '\r\n'),
    calls: fc.array(
      fc.tuple(
        fc.constantFrom<'line' | 'read'>('line', 'line', 'read'),
        fc.option(fc.integer({ min: 0, max: 6 }), { nil: null, freq: 2 }),
      ),
      { maxLength: 12 },
    ),
  })
  .map(({ characters, calls, ...rest }): Case => {
    const text = characters.join('');
    const { encoding } = rest;
    const plain = encoding === 'ascii' || encoding === 'latin1' ? text.replace(/[^\0-\xff]/gu, 'x') : text;
    const bytes = Buffer.from(encoding === 'ascii' ? plain.replaceAll('é', 'e') : plain, encoding as BufferEncoding);
    return { ...rest, data: bytes.toString('hex'), calls: [...calls, ['all', null]] };
  });

/** The same through `makeFile`. */
function read({ data, mode, encoding, newline, calls }: Case): unknown[] {
  const [a, b] = pair();
  b.sendAllSync(Buffer.from(data, 'hex'));
  b.close();
  const file =
    mode === 'rb' ? a.makeFile('rb', { autoClose: true }) : a.makeFile('r', { encoding, newline, autoClose: true });
  const show = (content: string | Buffer): string => (typeof content === 'string' ? content : content.toString('hex'));
  const results = calls.map(([name, limit]) => {
    if (name === 'all') return (file.readLinesSync() as (string | Buffer)[]).map(show);
    return show(name === 'line' ? file.readLineSync(limit ?? undefined) : file.readSync(limit ?? undefined));
  });
  file.closeSync();
  return results;
}

describeIf(python, "makeFile, beside Python's makefile", function (this: Mocha.Suite) {
  this.timeout(30_000);

  it('reads the same lines and characters, in all modes and encodings', () => {
    const samples = fc.sample(cases, 400);
    const input = samples.map((one) =>
      JSON.stringify({ ...one, encoding: PYTHON_ENCODINGS[one.encoding] ?? one.encoding }),
    );
    const stdout = execFileSync(PYTHON, ['-c', PEER], {
      input: input.join('\n'),
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    });
    const answers = stdout.trimEnd().split('\n');
    expect(answers).to.have.length(samples.length);
    for (const [index, one] of samples.entries()) {
      expect(read(one), JSON.stringify(one)).to.deep.equal(JSON.parse(answers[index] as string));
    }
  });
});
