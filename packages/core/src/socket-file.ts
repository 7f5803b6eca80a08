import {
  checkBoolean,
  checkInteger,
  checkObject,
  type Data,
  invalidArgumentType,
  outOfRange,
  toBytes,
  toTarget,
} from './arguments.js';
import type { WaitOptions } from './drivers.js';
import { socketError } from './errors.js';
import {
  type Convert,
  FileReader,
  type Measure,
  type Take,
  takeAll,
  takeBytes,
  takeLines,
  takeMeasured,
  takeSome,
} from './file-reader.js';
import { type FileEncoding, type FileErrors, type FileNewline, TextCodec } from './file-text.js';
import { FileWriter } from './file-writer.js';
import type { Socket } from './socket.js';

/** What a text file is for. */
export type TextFileMode = 'r' | 'w' | 'rw' | 'wr';
/** What a binary file is for. */
export type BinaryFileMode = 'rb' | 'br' | 'wb' | 'bw' | 'rwb' | 'rbw' | 'wrb' | 'wbr' | 'brw' | 'bwr';

/** Options of `makeFile` in its binary modes. */
export interface BinaryFileOptions {
  /**
   * Bytes to read ahead, and bytes that may wait to be sent: 65,536 unless told. 0 reads no more than
   * is asked for and sends at once (only in binary modes).
   */
  buffering?: number | undefined;
  /** Whether closing the file closes the socket: false unless told. */
  autoClose?: boolean | undefined;
}

/** Options of `makeFile` in its text modes. */
export interface TextFileOptions extends BinaryFileOptions {
  /** As in binary modes; 1 sends whenever the end of a line was written. */
  buffering?: number | undefined;
  /** `utf8` unless told. */
  encoding?: FileEncoding | undefined;
  /**
   * `strict`, unless told, throws for bytes that are no text (SocketError `EILSEQ`) and for text that
   * the encoding lacks (RangeError); `replace` puts U+FFFD, or `?`, in its place.
   */
  errors?: FileErrors | undefined;
  /**
   * How lines end. `null`, unless told: `\n`, `\r` or `\r\n` where one reads, all given as `\n`. `''`: the
   * same, given as they are. `\n`, `\r`, `\r\n`: only that, and what `\n` becomes where one writes.
   */
  newline?: FileNewline | undefined;
}

const DEFAULT_SIZE = 65_536;
const SIZE_MAX = 0x3fffffff;
const NO_OPTIONS: WaitOptions = Object.freeze({});

/** What of a mode matters. */
interface Purpose {
  reads: boolean;
  writes: boolean;
  binary: boolean;
}

function parseMode(mode: unknown): Purpose {
  if (typeof mode !== 'string') throw invalidArgumentType('mode', "a string made of 'r', 'w' and 'b'", mode);
  const letters = new Set(mode);
  const purpose = { reads: letters.has('r'), writes: letters.has('w'), binary: letters.has('b') };
  const known = letters.size === mode.length && [...letters].every((letter) => 'rwb'.includes(letter));
  if (!known || !(purpose.reads || purpose.writes))
    throw outOfRange('mode', "'r', 'w' or 'rw', with 'b' or without", mode);
  return purpose;
}

function checkLimit(argument: string, value: number | undefined): number | undefined {
  return value === undefined ? undefined : checkInteger(argument, value, 0, SIZE_MAX);
}

function checkIterable<T>(lines: Iterable<T>): Iterable<T> {
  if (typeof lines?.[Symbol.iterator] !== 'function') throw invalidArgumentType('lines', 'an iterable', lines);
  return lines;
}

/**
 * A socket read and written like a file: by lines, with buffers of its own on both sides. Made by
 * `makeFile`.
 *
 * Each operation has three forms, as those of the socket have; the timeout is the socket's unless
 * told, and is for the whole operation. After a timeout or an error nothing is lost: what was received
 * stays for the next read, what was not sent for the next flush.
 *
 * What was read ahead is in the file: `recv` of the socket does not see it (`takeBuffered` gives it).
 */
export abstract class SocketFile<Content extends string | Buffer, Input> implements AsyncDisposable, Disposable {
  /** The socket beneath. */
  readonly socket: Socket<unknown>;
  /** As given to `makeFile`. */
  readonly mode: string;
  private readonly purpose: Purpose;
  private readonly autoClose: boolean;
  private open = true;
  /** @internal */
  protected readonly reader: FileReader;
  private readonly writer: FileWriter;

  /** @internal */
  constructor(socket: Socket<unknown>, mode: string, options: BinaryFileOptions, size: number) {
    this.socket = socket;
    this.mode = mode;
    this.purpose = parseMode(mode);
    this.autoClose = checkBoolean('options.autoClose', options.autoClose ?? false);
    this.reader = new FileReader(socket, size);
    this.writer = new FileWriter(socket, size);
  }

  /** Takes bytes as content. */
  protected abstract readonly convert: Convert<Content>;
  /** Finds the end of the first line, or of `limit`. */
  protected abstract lineMeasure(limit: number | undefined): Measure;
  protected abstract takeSized(size: number | undefined): Take<Content>;
  /** The bytes of what is written, how much it counts, and whether it must be sent at once. */
  protected abstract prepare(content: Input): { bytes: Uint8Array; count: number; now: boolean };

  /** Whether `close` was called. */
  get closed(): boolean {
    return !this.open;
  }

  /** Whether it was made for reading. */
  get readable(): boolean {
    return this.purpose.reads;
  }

  /** Whether it was made for writing. */
  get writable(): boolean {
    return this.purpose.writes;
  }

  /** Bytes that were written and wait to be sent. */
  get pending(): number {
    return this.writer.length;
  }

  private check(syscall: string, may: boolean): void {
    if (!this.open) throw socketError(syscall, 'EBADF', 'the file is closed');
    if (!may) throw socketError(syscall, 'EBADF', `the file was made with mode '${this.mode}'`);
  }

  /** @internal */
  protected reading(): FileReader {
    this.check('read', this.readable);
    return this.reader;
  }

  private writing(): FileWriter {
    this.check('write', this.writable);
    return this.writer;
  }

  /**
   * Reads `size` characters or bytes, fewer only at the end; everything up to the end unless told.
   * Empty at the end.
   */
  async read(size?: number, options: WaitOptions = NO_OPTIONS): Promise<Content> {
    return this.reading().run(this.takeSized(checkLimit('size', size)), checkObject('options', options));
  }

  /** As `read`, blocking the thread. */
  readSync(size?: number, options: WaitOptions = NO_OPTIONS): Content {
    return this.reading().block(this.takeSized(checkLimit('size', size)), checkObject('options', options));
  }

  /** As `read`, without waiting: `null` where not all of it is there. */
  tryRead(size?: number): Content | null {
    return this.reading().attempt(this.takeSized(checkLimit('size', size)));
  }

  private takeLine(limit: number | undefined): Take<Content> {
    return takeMeasured(this.reader.buffer, this.lineMeasure(checkLimit('limit', limit)), this.convert);
  }

  /**
   * Reads a line with its end, which only the last may lack. Empty at the end.
   * @param limit most characters or bytes: a longer line comes in pieces
   */
  async readLine(limit?: number, options: WaitOptions = NO_OPTIONS): Promise<Content> {
    return this.reading().run(this.takeLine(limit), checkObject('options', options));
  }

  /** As `readLine`, blocking the thread. */
  readLineSync(limit?: number, options: WaitOptions = NO_OPTIONS): Content {
    return this.reading().block(this.takeLine(limit), checkObject('options', options));
  }

  /** As `readLine`, without waiting: `null` where no whole line is there. */
  tryReadLine(limit?: number): Content | null {
    return this.reading().attempt(this.takeLine(limit));
  }

  private takeLines(): Take<Content[]> {
    return takeLines(this.reader.buffer, this.lineMeasure(undefined), this.convert);
  }

  /** Reads all lines up to the end. */
  async readLines(options: WaitOptions = NO_OPTIONS): Promise<Content[]> {
    return this.reading().run(this.takeLines(), checkObject('options', options));
  }

  /** As `readLines`, blocking the thread. */
  readLinesSync(options: WaitOptions = NO_OPTIONS): Content[] {
    return this.reading().block(this.takeLines(), checkObject('options', options));
  }

  /** As `readLines`, without waiting: `null` where the end has not come. */
  tryReadLines(): Content[] | null {
    return this.reading().attempt(this.takeLines());
  }

  /** Lines as they come, up to the end. */
  async *lines(options: WaitOptions = NO_OPTIONS): AsyncGenerator<Content> {
    for (;;) {
      const line = await this.readLine(undefined, options);
      if (line.length === 0) return;
      yield line;
    }
  }

  /** As `lines`, blocking the thread. */
  *linesSync(options: WaitOptions = NO_OPTIONS): Generator<Content> {
    for (;;) {
      const line = this.readLineSync(undefined, options);
      if (line.length === 0) return;
      yield line;
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<Content> {
    return this.lines();
  }

  /** The bytes that were read ahead and not asked for yet. Reading goes on behind them, here or with `recv`. */
  takeBuffered(): Buffer {
    const { buffer } = this.reading();
    const bytes = Buffer.from(buffer.bytes.subarray(this.leading(buffer.bytes)));
    buffer.skip(buffer.length);
    return bytes;
  }

  /** Bytes at the start of what is there that belong to what was read before. */
  protected leading(_bytes: Buffer): number {
    return 0;
  }

  /**
   * Writes: the number of characters or bytes, all of which are taken. They are sent when the buffer is
   * full, with `flush` or with `close`.
   */
  async write(content: Input, options: WaitOptions = NO_OPTIONS): Promise<number> {
    const writer = this.writing();
    const { bytes, count, now } = this.prepare(content);
    await writer.write(bytes, now, checkObject('options', options));
    return count;
  }

  /** As `write`, blocking the thread. */
  writeSync(content: Input, options: WaitOptions = NO_OPTIONS): number {
    const writer = this.writing();
    const { bytes, count, now } = this.prepare(content);
    writer.writeSync(bytes, now, checkObject('options', options));
    return count;
  }

  /** As `write`, without waiting: `null` where there is no room, and nothing is taken then. */
  tryWrite(content: Input): number | null {
    const writer = this.writing();
    const { bytes, count, now } = this.prepare(content);
    return writer.tryWrite(bytes, now) ? count : null;
  }

  /** Writes several pieces, one after the other; no ends of lines are added. */
  async writeLines(lines: Iterable<Input>, options: WaitOptions = NO_OPTIONS): Promise<void> {
    for (const line of checkIterable(lines)) await this.write(line, options);
  }

  /** As `writeLines`, blocking the thread. */
  writeLinesSync(lines: Iterable<Input>, options: WaitOptions = NO_OPTIONS): void {
    for (const line of checkIterable(lines)) this.writeSync(line, options);
  }

  /** Sends what was written. @throws SocketError as `sendAll`; what was not sent is kept */
  async flush(options: WaitOptions = NO_OPTIONS): Promise<void> {
    await this.writing().flush(checkObject('options', options));
  }

  /** As `flush`, blocking the thread. */
  flushSync(options: WaitOptions = NO_OPTIONS): void {
    this.writing().flushSync(checkObject('options', options));
  }

  /** As `flush`, as much as there is room for: `true` when nothing waits any more, else `null`. */
  tryFlush(): true | null {
    return this.writing().tryFlush() ? true : null;
  }

  /**
   * Sends what was written, and ends the file; pending reads are rejected with `ECANCELED`. The socket
   * stays open, both its directions with it, unless `autoClose` was given: `socket.shutdown(SHUT_WR)`
   * tells the peer that nothing more comes. Closing again does nothing.
   * @throws what sending throws; the file is closed all the same
   */
  async close(options: WaitOptions = NO_OPTIONS): Promise<void> {
    if (!this.open) return;
    this.open = false;
    this.reader.close();
    try {
      await this.writer.flush(checkObject('options', options));
    } finally {
      this.end();
    }
  }

  /** As `close`, blocking the thread. */
  closeSync(options: WaitOptions = NO_OPTIONS): void {
    if (!this.open) return;
    this.open = false;
    this.reader.close();
    try {
      this.writer.flushSync(checkObject('options', options));
    } finally {
      this.end();
    }
  }

  private end(): void {
    this.writer.close();
    if (this.autoClose) this.socket.close();
  }

  [Symbol.dispose](): void {
    this.closeSync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

// a small piece must not keep the large memory that it came in
function own(bytes: Buffer): Buffer {
  return bytes.length < bytes.buffer.byteLength / 4 ? Buffer.from(bytes) : bytes;
}

const NEWLINE = 0x0a;

/** A socket as a file of bytes. Lines end with `\n`. */
export class BinarySocketFile extends SocketFile<Buffer, Data> {
  protected readonly convert = own;
  private readonly unbuffered: boolean;

  /** @internal */
  constructor(socket: Socket<unknown>, mode: BinaryFileMode, options: BinaryFileOptions) {
    const size = checkInteger('options.buffering', options.buffering ?? DEFAULT_SIZE, 0, SIZE_MAX);
    super(socket, mode, options, size);
    this.unbuffered = size === 0;
  }

  protected lineMeasure(limit = Number.POSITIVE_INFINITY): Measure {
    return (bytes, from) => {
      const at = bytes.indexOf(NEWLINE, from);
      if (at !== -1 && at < limit) return at + 1;
      return bytes.length >= limit ? limit : undefined;
    };
  }

  protected takeSized(size: number | undefined): Take<Buffer> {
    const { buffer } = this.reader;
    return size === undefined ? takeAll(buffer, own) : takeBytes(buffer, size, own);
  }

  protected prepare(content: Data): { bytes: Uint8Array; count: number; now: boolean } {
    // it may wait for long: what the caller does to its memory meanwhile must not show
    const bytes = Uint8Array.from(toBytes('data', content));
    return { bytes, count: bytes.length, now: this.unbuffered };
  }

  /** Reads what is there, or what comes next: up to `size` bytes. Empty at the end. */
  async readSome(size: number, options: WaitOptions = NO_OPTIONS): Promise<Buffer> {
    return this.reading().run(this.some(size), checkObject('options', options));
  }

  /** As `readSome`, blocking the thread. */
  readSomeSync(size: number, options: WaitOptions = NO_OPTIONS): Buffer {
    return this.reading().block(this.some(size), checkObject('options', options));
  }

  /** As `readSome`, without waiting. */
  tryReadSome(size: number): Buffer | null {
    return this.reading().attempt(this.some(size));
  }

  private some(size: number): Take<Buffer> {
    return takeSome(this.reader.buffer, checkInteger('size', size, 0, SIZE_MAX), own);
  }

  /** Fills memory of the caller: the number of bytes, fewer than its length only at the end. */
  async readInto(target: ArrayBufferView | ArrayBuffer, options: WaitOptions = NO_OPTIONS): Promise<number> {
    return this.reading().run(this.into(target), checkObject('options', options));
  }

  /** As `readInto`, blocking the thread. */
  readIntoSync(target: ArrayBufferView | ArrayBuffer, options: WaitOptions = NO_OPTIONS): number {
    return this.reading().block(this.into(target), checkObject('options', options));
  }

  /** As `readInto`, without waiting: `null`, and nothing taken, where not all of it is there. */
  tryReadInto(target: ArrayBufferView | ArrayBuffer): number | null {
    return this.reading().attempt(this.into(target));
  }

  private into(target: ArrayBufferView | ArrayBuffer): Take<number> {
    const { length } = toTarget('target', target);
    // looked at again when it is filled: it may have been transferred meanwhile
    return takeBytes(this.reader.buffer, length, (bytes) => {
      toTarget('target', target).set(bytes);
      return bytes.length;
    });
  }
}

/** A socket as a file of text. */
export class TextSocketFile extends SocketFile<string, string> {
  protected readonly convert: Convert<string> = (bytes) => this.codec.decode(bytes);
  private readonly codec: TextCodec;
  private readonly byLine: boolean;

  /** @internal */
  constructor(socket: Socket<unknown>, mode: TextFileMode, options: TextFileOptions) {
    const buffering = checkInteger('options.buffering', options.buffering ?? DEFAULT_SIZE, 1, SIZE_MAX);
    super(socket, mode, options, buffering === 1 ? DEFAULT_SIZE : buffering);
    const { encoding = 'utf8', errors = 'strict', newline = null } = options;
    this.codec = new TextCodec(encoding, errors, newline);
    this.byLine = buffering === 1;
  }

  protected override leading(bytes: Buffer): number {
    return this.codec.finish(bytes);
  }

  protected lineMeasure(limit: number | undefined): Measure {
    const { codec } = this;
    return (bytes, from, ended) => {
      const line = codec.lineSize(bytes, from, ended);
      if (limit === undefined) return line;
      const { size, characters } = codec.measure(bytes, limit, ended);
      if (line !== undefined && line <= size) return line;
      return characters === limit ? size : undefined;
    };
  }

  protected takeSized(size: number | undefined): Take<string> {
    const { codec } = this;
    const { buffer } = this.reader;
    if (size === undefined) return takeAll(buffer, this.convert);
    return takeMeasured(
      buffer,
      (bytes, _from, ended) => {
        const found = codec.measure(bytes, size, ended);
        return found.characters === size ? found.size : undefined;
      },
      this.convert,
    );
  }

  protected prepare(content: string): { bytes: Uint8Array; count: number; now: boolean } {
    const bytes = this.codec.encode('text', content);
    return { bytes, count: content.length, now: this.byLine && /[\r\n]/.test(content) };
  }
}

/** Makes a file of a socket. */
export function makeFile(
  socket: Socket<unknown>,
  mode: TextFileMode | BinaryFileMode,
  options: TextFileOptions,
): TextSocketFile | BinarySocketFile {
  checkObject('options', options);
  return parseMode(mode).binary
    ? new BinarySocketFile(socket, mode as BinaryFileMode, options)
    : new TextSocketFile(socket, mode as TextFileMode, options);
}
