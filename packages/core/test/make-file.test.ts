import {
  BinarySocketFile,
  type FileEncoding,
  type FileNewline,
  SHUT_WR,
  type Socket,
  SocketError,
  SocketFile,
  SocketTimeoutError,
  type TextFileOptions,
  TextSocketFile,
} from '@sock/core';
import { pattern, rejection, thrown, turns, within } from '@sock/testkit';
import { expect } from 'chai';
import fc from 'fast-check';
import { fill, pair } from './support/families.js';
import { eachPair } from './support/operations.js';

const ENCODINGS: FileEncoding[] = ['utf8', 'utf16le', 'latin1', 'ascii'];
const NEWLINES: FileNewline[] = [null, '', '\n', '\r', '\r\n'];

/** What the lines of a text are, told otherwise than the library finds them. */
function linesOf(text: string, newline: FileNewline): string[] {
  if (newline === null) return linesOf(text.replace(/\r\n|\r/g, '\n'), '\n');
  const end = newline === '' ? '\r\n|\r|\n' : newline;
  return text.match(new RegExp(`[^]*?(?:${end})|[^]+$`, 'g')) ?? [];
}

describe('makeFile', () => {
  let a: Socket<string>;
  let b: Socket<string>;
  const stack = eachPair((first, second) => {
    a = first;
    b = second;
  });

  function say(...pieces: (string | Uint8Array)[]): void {
    for (const piece of pieces) b.sendAllSync(piece);
  }

  describe('reading text', () => {
    it('gives lines with their ends, in three forms', async () => {
      const file = a.makeFile();
      expect(file).to.be.instanceOf(TextSocketFile).and.instanceOf(SocketFile);
      expect([file.socket, file.mode, file.readable, file.writable, file.closed]).to.deep.equal([
        a,
        'r',
        true,
        false,
        false,
      ]);
      expect(file.tryReadLine()).to.equal(null);
      say('one\ntwo\nthr');
      expect(await file.readLine()).to.equal('one\n');
      expect(file.readLineSync()).to.equal('two\n');
      expect(file.tryReadLine()).to.equal(null);
      const third = file.readLine();
      say('ee\nlast');
      b.shutdown(SHUT_WR);
      expect(await third).to.equal('three\n');
      expect(file.tryReadLine()).to.equal('last');
      expect([await file.readLine(), file.readLineSync(), file.tryReadLine()]).to.deep.equal(['', '', '']);
      expect([await file.read(), file.readSync(5), file.tryRead()]).to.deep.equal(['', '', '']);
    });

    it('lines and linesSync end with the peer', async () => {
      say('a\nb\n', 'c');
      b.shutdown(SHUT_WR);
      const file = a.makeFile('r');
      const seen: string[] = [];
      for await (const line of file) {
        seen.push(line);
        if (seen.length === 1) break;
      }
      for await (const line of file.lines()) {
        seen.push(line);
        break;
      }
      seen.push(...file.linesSync());
      expect(seen).to.deep.equal(['a\n', 'b\n', 'c']);
    });

    it('readLines gives all of them, and nothing before the end', async () => {
      const file = a.makeFile();
      say('a\nb');
      expect(file.tryReadLines()).to.equal(null);
      const pending = file.readLines();
      say('c\n');
      b.shutdown(SHUT_WR);
      expect(await pending).to.deep.equal(['a\n', 'bc\n']);
      expect([file.readLinesSync(), file.tryReadLines(), await file.readLines()]).to.deep.equal([[], [], []]);
    });

    it('read counts characters, whatever bytes they have', async () => {
      const file = a.makeFile();
      say(Buffer.from('aé€😀z').subarray(0, 8));
      expect(await file.read(3)).to.equal('aé€');
      expect(file.tryRead(1), 'half of a character').to.equal(null);
      say(Buffer.from('aé€😀z').subarray(8));
      expect([file.readSync(1), file.tryRead(0), await file.read(1)]).to.deep.equal(['😀', '', 'z']);
      say('rest');
      b.shutdown(SHUT_WR);
      expect(await file.read(100)).to.equal('rest');
    });

    it('a limit gives long lines in pieces', async () => {
      const file = a.makeFile();
      say('äöü\nab\n');
      expect([await file.readLine(2), file.readLineSync(5), file.tryReadLine(0)]).to.deep.equal(['äö', 'ü\n', '']);
      expect(file.tryReadLine(3)).to.equal('ab\n');
      const bytes = a.makeFile('rb');
      say('longer line\n');
      expect(bytes.readLineSync(6).toString()).to.equal('longer');
      expect(bytes.readLineSync(6).toString()).to.equal(' line\n');
    });

    it('a carriage return ends a line at once; a line feed that follows is no line of its own', async () => {
      const file = a.makeFile();
      say('one\r');
      expect(file.tryReadLine()).to.equal('one\n');
      say('\ntwo\r\rthree\n');
      expect([file.tryReadLine(), file.tryReadLine(), file.tryReadLine()]).to.deep.equal(['two\n', '\n', 'three\n']);
      say('x\r');
      expect(file.tryRead(2)).to.equal('x\n');
      say('\ny');
      expect(file.tryRead(1)).to.equal('y');
    });

    it('untranslated, the end of a line is what it is', async () => {
      const file = a.makeFile('r', { newline: '' });
      say('one\r');
      expect(file.tryReadLine(), 'a line feed may follow').to.equal(null);
      say('\ntwo\rthree');
      expect([file.tryReadLine(), file.tryReadLine()]).to.deep.equal(['one\r\n', 'two\r']);
    });

    it('lines are the same wherever the data are cut, in every encoding', () => {
      const character = fc.constantFrom('a', 'z', '\r', '\n', '\r\n', 'é', '\0');
      fc.assert(
        fc.property(
          fc.array(character, { maxLength: 30 }),
          fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 8 }),
          fc.constantFrom(...ENCODINGS),
          fc.constantFrom(...NEWLINES),
          fc.boolean(),
          (characters, cuts, encoding, newline, early) => {
            const text = characters.join('').replaceAll('é', encoding === 'ascii' ? 'e' : 'é');
            const bytes = Buffer.from(text, encoding === 'ascii' ? 'latin1' : encoding);
            const [reader, writer] = pair();
            stack.use(reader);
            stack.use(writer);
            const file = reader.makeFile('r', { encoding, newline });
            const seen: string[] = [];
            const drain = (): void => {
              for (let line = file.tryReadLine(); line !== null && line !== ''; line = file.tryReadLine())
                seen.push(line);
            };
            for (let at = 0, i = 0; at < bytes.length; i++) {
              const cut = cuts[i % cuts.length] as number;
              writer.sendAllSync(bytes.subarray(at, at + cut));
              at += cut;
              if (early) drain();
            }
            writer.close();
            drain();
            expect(seen).to.deep.equal(linesOf(text, newline));
            reader.close();
          },
        ),
        { numRuns: 150 },
      );
    });

    it('characters are the same wherever the data are cut', () => {
      fc.assert(
        fc.property(
          fc.string({ unit: 'binary', maxLength: 12 }),
          fc.integer({ min: 1, max: 4 }),
          fc.integer({ min: 1, max: 3 }),
          fc.constantFrom<FileEncoding>('utf8', 'utf16le'),
          (text, cut, count, encoding) => {
            const bytes = Buffer.from(text, encoding as BufferEncoding);
            const [reader, writer] = pair();
            const file = reader.makeFile('r', { encoding, newline: '\n' });
            let seen = '';
            for (let at = 0; at < bytes.length; at += cut) {
              writer.sendAllSync(bytes.subarray(at, at + cut));
              for (let piece = file.tryRead(count); piece; piece = file.tryRead(count)) {
                expect([...piece]).to.have.length(count);
                seen += piece;
              }
            }
            writer.close();
            seen += file.readSync();
            expect(seen).to.equal(text);
            reader.close();
          },
        ),
        { numRuns: 20 },
      );
    });

    it('bytes that are no text are an error, and stay', async () => {
      for (const [encoding, bytes] of [
        ['utf8', Buffer.from([0x61, 0xff, 0x0a])],
        ['ascii', Buffer.from([0x61, 0x80, 0x0a])],
        ['utf16le', Buffer.from([0x61, 0, 0, 0xdc, 0x0a, 0])],
      ] as const) {
        const file = a.makeFile('r', { encoding });
        say('x'.repeat(0), bytes);
        const error = await rejection(file.readLine());
        expect(error, encoding).to.be.instanceOf(SocketError);
        expect([error.code, error.syscall]).to.deep.equal(['EILSEQ', 'read']);
        expect(thrown(() => file.readLineSync()).code).to.equal('EILSEQ');
        expect(file.takeBuffered()).to.deep.equal(bytes);
      }
      b.shutdown(SHUT_WR);
      const cut = a.makeFile('r');
      expect(cut.readSync()).to.equal('');
    });

    it('a character that the end cuts off is no text', () => {
      say(Buffer.from('€').subarray(0, 2));
      b.shutdown(SHUT_WR);
      const file = a.makeFile();
      expect(thrown(() => file.readSync()).code).to.equal('EILSEQ');
      expect(thrown(() => file.readSync(1)).code).to.equal('EILSEQ');
      expect(file.takeBuffered()).to.have.length(2);
    });

    it('replaces what is no text, where told', () => {
      say(Buffer.from([0x61, 0xe2, 0x41, 0xff, 0x0a]));
      const file = a.makeFile('r', { errors: 'replace' });
      expect(file.readSync(2)).to.equal('a\ufffd');
      expect(file.readLineSync()).to.equal('A\ufffd\n');
      say(Buffer.from([0x61, 0x80, 0x0a]));
      expect(a.makeFile('r', { errors: 'replace', encoding: 'ascii' }).readLineSync()).to.equal('a\ufffd\n');
    });
  });

  describe('reading bytes', () => {
    it('gives as many as are asked for, fewer only at the end', async () => {
      const file = a.makeFile('rb');
      expect(file).to.be.instanceOf(BinarySocketFile);
      say('abc');
      expect(file.tryRead(5)).to.equal(null);
      const pending = file.read(5);
      say('defg');
      expect(String(await pending)).to.equal('abcde');
      expect(String(file.readSync(1))).to.equal('f');
      expect(String(file.tryRead(1))).to.equal('g');
      say('tail');
      b.shutdown(SHUT_WR);
      expect(String(await file.read())).to.equal('tail');
      expect((await file.read(5)).length).to.equal(0);
    });

    it('readSome gives what is there', async () => {
      const file = a.makeFile('rb');
      expect(file.tryReadSome(5)).to.equal(null);
      const pending = file.readSome(5);
      say('abcdefghij');
      expect(String(await pending)).to.equal('abcde');
      expect(String(file.readSomeSync(100))).to.equal('fghij');
      say('k');
      expect(String(file.tryReadSome(3))).to.equal('k');
      expect(file.tryReadSome(0)).to.have.length(0);
    });

    it('readInto fills memory of the caller', async () => {
      const file = a.makeFile('rb');
      const memory = new Uint8Array(4);
      say('abc');
      expect(file.tryReadInto(memory)).to.equal(null);
      expect([...memory]).to.deep.equal([0, 0, 0, 0]);
      say('defgh');
      expect(await file.readInto(memory)).to.equal(4);
      expect(String(Buffer.from(memory))).to.equal('abcd');
      expect(file.readIntoSync(new DataView(memory.buffer, 1, 2))).to.equal(2);
      expect(String(Buffer.from(memory))).to.equal('aefd');
      b.shutdown(SHUT_WR);
      expect(file.tryReadInto(memory)).to.equal(2);
      expect(String(Buffer.from(memory))).to.equal('ghfd');
    });

    it('memory that is transferred while a read is pending ends it, and loses nothing', async () => {
      const file = a.makeFile('rb');
      const memory = new ArrayBuffer(4);
      const pending = rejection(file.readInto(memory));
      structuredClone(memory, { transfer: [memory] });
      say('kept');
      expect((await pending).code).to.equal('ERR_OUT_OF_RANGE');
      expect(String(await file.read(4))).to.equal('kept');
    });

    it('without a buffer nothing is read ahead', async () => {
      const file = a.makeFile('rb', { buffering: 0 });
      say('line\nrest of it');
      expect(String(await file.readLine())).to.equal('line\n');
      expect(String(file.readSync(4))).to.equal('rest');
      expect(String(a.recvSync(100))).to.equal(' of it');
    });

    it('what was read ahead can be taken, and reading goes on behind it', async () => {
      const file = a.makeFile();
      say('GET /\r\n\r\n', Buffer.of(0, 255));
      expect([file.readLineSync(), file.readLineSync()]).to.deep.equal(['GET /\n', '\n']);
      expect([...file.takeBuffered()]).to.deep.equal([0, 255]);
      expect(file.takeBuffered()).to.have.length(0);
      say('more');
      expect(String(await a.recv(10))).to.equal('more');
      say('late\r');
      expect(file.readLineSync()).to.equal('late\n');
      say('\nbytes');
      expect(file.tryRead(1)).to.equal('b');
      say('\r');
      expect(file.tryReadLine()).to.equal('ytes\n');
      say('\n.');
      expect(file.tryRead(0)).to.equal('');
      expect(file.tryReadLine()).to.equal(null);
      expect(String(file.takeBuffered())).to.equal('.');
    });

    it('long lines and much data come whole', async () => {
      const line = Buffer.alloc(3_000_000, 'x');
      line[line.length - 1] = 10;
      const data = pattern(2_000_000);
      const sending = b.sendAll(Buffer.concat([line, data])).then(() => b.shutdown(SHUT_WR));
      const file = a.makeFile('rb');
      expect((await file.readLine()).equals(line)).to.equal(true);
      expect((await file.read(1_000_000)).equals(data.subarray(0, 1_000_000))).to.equal(true);
      expect((await file.read()).equals(data.subarray(1_000_000))).to.equal(true);
      await sending;
    });

    it('a small piece does not keep the memory that it came in', () => {
      say('a\n', Buffer.alloc(50_000));
      const file = a.makeFile('rb', { buffering: 150_000 });
      // at most what Node's small buffers share, 8 or 64 KiB
      expect(file.readLineSync().buffer.byteLength).to.be.below(100_000);
      expect(file.takeBuffered()).to.have.length(50_000);
    });
  });

  describe('pending reads', () => {
    it('complete in order, each with its own', async () => {
      const file = a.makeFile();
      const all = Promise.all([file.readLine(), file.read(2), file.readLine(), file.read(3)]);
      await turns(2);
      say('o');
      await turns(2);
      say('ne\nabtail\nxyz');
      expect(await all).to.deep.equal(['one\n', 'ab', 'tail\n', 'xyz']);
    });

    it('a timeout loses nothing, and disturbs no other', async () => {
      const file = a.makeFile();
      say('half');
      const first = rejection(file.readLine(undefined, { timeout: 20 }));
      const second = file.readLine();
      const error = await first;
      expect(error).to.be.instanceOf(SocketTimeoutError);
      expect([error.code, error.syscall]).to.deep.equal(['ETIMEDOUT', 'recv']);
      say(' a line\n');
      expect(await second).to.equal('half a line\n');
      say('again');
      a.timeout = 20;
      expect((await rejection(file.readLine())).code).to.equal('ETIMEDOUT');
      expect(thrown(() => file.readLineSync()).code).to.equal('ETIMEDOUT');
      say('\n');
      expect(file.tryReadLine()).to.equal('again\n');
    });

    it('the timeout is for the whole operation', async () => {
      const file = a.makeFile();
      const end = new AbortController();
      const dripping = (async () => {
        while (!end.signal.aborted) {
          b.trySend('.');
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      })();
      const error = await within('the timeout', rejection(file.readLine(undefined, { timeout: 100 })));
      expect(error.code).to.equal('ETIMEDOUT');
      end.abort();
      await dripping;
      expect(file.takeBuffered().length).to.be.above(0);
    });

    it('timeout 0 fails at once where it would have to wait', async () => {
      const file = a.makeFile();
      say('whole\npart');
      a.timeout = 0;
      expect(await file.readLine()).to.equal('whole\n');
      expect((await rejection(file.readLine())).code).to.equal('EAGAIN');
      expect(thrown(() => file.readLineSync()).code).to.equal('EAGAIN');
      expect(file.tryRead(4)).to.equal('part');
    });

    it('a signal removes one of them', async () => {
      const file = a.makeFile();
      const controller = new AbortController();
      const first = rejection(file.readLine(undefined, { signal: controller.signal }));
      const second = file.readLine();
      controller.abort(new Error('enough'));
      expect((await first).message).to.equal('enough');
      say('line\n');
      expect(await second).to.equal('line\n');
      expect((await rejection(file.readLine(undefined, { signal: controller.signal }))).message).to.equal('enough');
      // nothing waits any more: what comes now is the socket's
      say('raw');
      expect(String(await a.recv(10))).to.equal('raw');
    });

    it('a blocking read serves those that wait behind it', async () => {
      const file = a.makeFile();
      const pending = file.readLine();
      await turns(1);
      say('one\ntwo\n');
      expect(file.readLineSync()).to.equal('one\n');
      expect(await within('the second line', pending)).to.equal('two\n');
      say('raw');
      expect(String(await a.recv(10))).to.equal('raw');
    });

    it('an error of one is no error of the next', async () => {
      const file = a.makeFile('r');
      const first = rejection(file.read(1));
      const second = rejection(file.read(1));
      say(Buffer.of(0xff));
      expect([(await first).code, (await second).code]).to.deep.equal(['EILSEQ', 'EILSEQ']);
      expect([...file.takeBuffered()]).to.deep.equal([0xff]);
    });

    it('closing the file, or the socket, ends them', async () => {
      const file = a.makeFile();
      const pending = [rejection(file.readLine()), rejection(file.read())];
      await file.close();
      expect((await Promise.all(pending)).map(({ code }) => code)).to.deep.equal(['ECANCELED', 'ECANCELED']);
      const other = a.makeFile();
      const last = rejection(other.readLine());
      a.close();
      expect((await last).code).to.equal('ECANCELED');
      expect((await rejection(other.readLine())).code).to.equal('EBADF');
    });
  });

  describe('writing', () => {
    it('collects until it is flushed, in three forms', async () => {
      const file = a.makeFile('w');
      expect([await file.write('one'), file.writeSync('zwö'), file.tryWrite('!')]).to.deep.equal([3, 3, 1]);
      expect(file.pending).to.equal(8);
      expect(b.tryRecv(100)).to.equal(null);
      await file.flush();
      expect(file.pending).to.equal(0);
      expect(String(b.tryRecv(100))).to.equal('onezwö!');
      file.writeSync('x');
      file.flushSync();
      expect(String(b.tryRecv(100))).to.equal('x');
      file.writeSync('y');
      expect(file.tryFlush()).to.equal(true);
      expect(String(b.tryRecv(100))).to.equal('y');
      await file.writeLines(['a\n', 'b\n']);
      file.writeLinesSync(['c\n']);
      await file.close();
      expect(String(b.tryRecv(100))).to.equal('a\nb\nc\n');
    });

    it('sends when the buffer is full, at the end of a line, or at once', async () => {
      const small = a.makeFile('wb', { buffering: 4 });
      small.writeSync('abc');
      expect(b.tryRecv(100)).to.equal(null);
      await small.write('d');
      expect(String(b.tryRecv(100))).to.equal('abcd');
      const byLine = a.makeFile('w', { buffering: 1 });
      byLine.writeSync('no end');
      expect(b.tryRecv(100)).to.equal(null);
      byLine.writeSync(' yet\nnow');
      expect(String(b.tryRecv(100))).to.equal('no end yet\nnow');
      const direct = a.makeFile('wb', { buffering: 0 });
      expect(await direct.write(Uint8Array.of(1, 2))).to.equal(2);
      expect([...(b.tryRecv(100) ?? [])]).to.deep.equal([1, 2]);
    });

    it('what the caller does to its memory afterwards does not show', () => {
      const file = a.makeFile('wb');
      const memory = Buffer.from('before');
      file.writeSync(memory);
      memory.write('after!');
      file.flushSync();
      expect(String(b.recvSync(100))).to.equal('before');
    });

    it('ends lines as told', () => {
      for (const [newline, sent] of [
        [null, 'a\nb\r'],
        ['', 'a\nb\r'],
        ['\n', 'a\nb\r'],
        ['\r', 'a\rb\r'],
        ['\r\n', 'a\r\nb\r'],
      ] as const) {
        const file = a.makeFile('w', { newline });
        expect(file.writeSync('a\nb\r')).to.equal(4);
        file.closeSync();
        expect(String(b.recvSync(100))).to.equal(sent);
      }
    });

    it('encodes as told, and refuses what the encoding lacks', () => {
      const sent = (options: TextFileOptions, text: string): string => {
        const file = a.makeFile('w', options);
        file.writeSync(text);
        file.closeSync();
        return b.recvSync(100).toString('latin1');
      };
      expect(sent({ encoding: 'latin1' }, 'é')).to.equal('\xe9');
      expect(sent({ encoding: 'utf16le' }, 'é')).to.equal('\xe9\0');
      expect(sent({ encoding: 'ascii', errors: 'replace' }, 'é€😀!')).to.equal('???!');
      for (const [encoding, text] of [
        ['latin1', '€'],
        ['ascii', 'é'],
        ['utf8', '\ud800'],
        ['utf16le', '\udc00'],
      ] as const) {
        const file = a.makeFile('w', { encoding });
        const error = thrown(() => file.writeSync(text));
        expect([error.name, error.argument], encoding).to.deep.equal(['RangeError', 'text']);
        expect(file.pending).to.equal(0);
      }
    });

    it('a flush that times out keeps what was not sent, in its place', async () => {
      const file = a.makeFile('wb', { buffering: 10_000_000 });
      const data = pattern(3_000_000);
      file.writeSync(data);
      const error = await rejection(file.flush({ timeout: 20 }));
      expect(error).to.be.instanceOf(SocketTimeoutError);
      expect(file.pending).to.be.below(data.length).and.above(0);
      expect(thrown(() => file.flushSync({ timeout: 20 })).code).to.equal('ETIMEDOUT');
      file.writeSync('end');
      expect(file.tryFlush()).to.equal(null);
      const closing = file.close();
      const received: Buffer[] = [];
      let length = 0;
      while (length < data.length + 3) {
        const chunk = await b.recv(1_000_000);
        received.push(chunk);
        length += chunk.length;
      }
      await closing;
      expect(Buffer.concat(received).equals(Buffer.concat([data, Buffer.from('end')]))).to.equal(true);
    });

    it('tryWrite takes nothing where there is no room', async () => {
      fill(a);
      const file = a.makeFile('wb', { buffering: 4 });
      expect(file.tryWrite('abc')).to.equal(3);
      expect(file.tryWrite('de')).to.equal(null);
      expect(file.tryWrite('d')).to.equal(1);
      expect(file.tryWrite('e')).to.equal(null);
      expect(file.pending).to.equal(4);
      const flushed = file.flush();
      expect(file.tryFlush()).to.equal(null);
      const busy = thrown(() => file.flushSync());
      expect(busy.code).to.equal('EALREADY');
      const late = rejection(file.flush({ timeout: 0 }));
      const limited = file.write('fghi', { timeout: 20 });
      expect((await late).code).to.equal('EAGAIN');
      expect((await rejection(limited)).code).to.equal('ETIMEDOUT');
      const received: Buffer[] = [];
      while (!Buffer.concat(received).toString('latin1').endsWith('abcd')) received.push(await b.recv(1_000_000));
      await flushed;
      await file.flush();
      expect(String(await b.recv(100))).to.equal('fghi');
    });

    it('writes that are not awaited are sent in order', async () => {
      const file = a.makeFile('w', { buffering: 3 });
      const words = ['one ', 'two ', 'three ', 'four ', 'five'];
      await Promise.all(words.map((word) => file.write(word)));
      await file.close();
      a.shutdown(SHUT_WR);
      expect(String(await b.makeFile('rb').read())).to.equal(words.join(''));
    });
  });

  describe('both directions', () => {
    it('answers what it reads', async () => {
      const file = a.makeFile('rw', { buffering: 1 });
      say('ping\n');
      await file.write(`${(await file.readLine()).toUpperCase()}`);
      expect(String(b.tryRecv(100))).to.equal('PING\n');
    });

    it('the other direction goes on when one has ended', async () => {
      const file = a.makeFile('rw');
      b.shutdown(SHUT_WR);
      expect(await file.read()).to.equal('');
      await file.write('still here\n');
      await file.flush();
      expect(String(b.recvSync(100))).to.equal('still here\n');
      a.shutdown(SHUT_WR);
      expect(b.recvSync(100)).to.have.length(0);
    });

    it('closing leaves the socket open, unless it was told to close it', async () => {
      for (const close of [(file: TextSocketFile) => file.close(), (file: TextSocketFile) => file.closeSync()]) {
        const file = a.makeFile('rw');
        file.writeSync('.');
        await close(file);
        await close(file);
        expect([file.closed, a.closed]).to.deep.equal([true, false]);
        expect(String(b.recvSync(5))).to.equal('.');
      }
      {
        await using file = a.makeFile('w');
        file.writeSync('async');
      }
      {
        using file = a.makeFile('w');
        file.writeSync(' and sync');
      }
      expect(String(b.recvSync(100))).to.equal('async and sync');
      await a.makeFile('rw', { autoClose: true }).close();
      expect(a.closed).to.equal(true);
      b.makeFile('r', { autoClose: true }).closeSync();
      expect(b.closed).to.equal(true);
    });

    it('closing fails as sending fails, and closes all the same', async () => {
      const file = a.makeFile('w', { autoClose: true });
      file.writeSync('nobody');
      b.close();
      expect((await rejection(file.close())).code).to.equal('EPIPE');
      expect([file.closed, a.closed]).to.deep.equal([true, true]);
    });

    it('refuses what it was not made for, and everything when it is closed', async () => {
      const reading = a.makeFile('rb');
      const writing = a.makeFile('wb');
      expect(thrown(() => reading.writeSync('x')).message).to.contain("mode 'rb'");
      expect(thrown(() => writing.readSync()).code).to.equal('EBADF');
      await reading.close();
      await writing.close();
      for (const call of [
        () => reading.read(),
        () => reading.readLine(),
        () => reading.readLines(),
        () => reading.readSome(1),
        () => reading.readInto(new Uint8Array(1)),
        () => writing.write('x'),
        () => writing.flush(),
        () => writing.writeLines(['x']),
      ]) {
        expect((await rejection(call())).message).to.contain('the file is closed');
      }
      expect(thrown(() => reading.takeBuffered()).code).to.equal('EBADF');
    });
  });

  it('refuses what its arguments do not accept', async () => {
    const wrong = (argument: string, call: () => unknown): void => {
      expect(thrown(call).argument, argument).to.equal(argument);
    };
    for (const mode of ['', 'x', 'b', 'rr', 'rt', 'r+', 5, null, {}]) wrong('mode', () => a.makeFile(mode as 'r'));
    for (const options of [null, 5, 'x', []]) wrong('options', () => a.makeFile('r', options as never));
    for (const buffering of [-1, 1.5, '1', 2 ** 31]) {
      wrong('options.buffering', () => a.makeFile('rb', { buffering: buffering as number }));
    }
    wrong('options.buffering', () => a.makeFile('r', { buffering: 0 }));
    for (const encoding of ['utf7', '', 5, null]) {
      wrong('options.encoding', () => a.makeFile('r', { encoding: encoding as 'utf8' }));
    }
    wrong('options.errors', () => a.makeFile('r', { errors: 'ignore' as 'strict' }));
    wrong('options.newline', () => a.makeFile('r', { newline: 'x' as '\n' }));
    wrong('options.autoClose', () => a.makeFile('r', { autoClose: 1 as unknown as boolean }));
    const file = a.makeFile('rwb');
    const text = a.makeFile('rw');
    for (const size of [-1, 1.5, '1', null]) {
      wrong('size', () => file.readSync(size as number));
      wrong('size', () => file.readSomeSync(size as number));
      wrong('limit', () => file.readLineSync(size as number));
    }
    wrong('target', () => file.readIntoSync('x' as never));
    wrong('data', () => file.writeSync(5 as never));
    wrong('text', () => text.writeSync(Buffer.from('x') as never));
    wrong('lines', () => text.writeLinesSync(5 as never));
    wrong('timeout', () => file.readSync(1, { timeout: -1 }));
    wrong('options', () => file.flushSync(5 as never));
    expect((await rejection(file.read(1, { timeout: 'x' as never }))).argument).to.equal('timeout');
    expect((await rejection(file.read(1, { signal: {} as never }))).argument).to.equal('signal');
    expect((await rejection(file.flush({ signal: {} as never }))).argument).to.equal('signal');
    expect([file.pending, text.pending]).to.deep.equal([0, 0]);
  });
});
