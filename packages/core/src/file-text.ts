import { isAscii, isUtf8 } from 'node:buffer';
import { checkOneOf, invalidArgumentType, outOfRange } from './arguments.js';
import { socketError } from './errors.js';

/** How text is encoded. `utf16le` is without a byte order mark. */
export type FileEncoding = 'utf8' | 'utf-8' | 'utf16le' | 'utf-16le' | 'latin1' | 'ascii';
/** What becomes of bytes that are no text, and of text that the encoding lacks. */
export type FileErrors = 'strict' | 'replace';
/** How lines end. */
export type FileNewline = null | '' | '\n' | '\r' | '\r\n';

type Codec = 'utf8' | 'utf16le' | 'latin1' | 'ascii';

const CODECS: Readonly<Record<FileEncoding, Codec>> = {
  utf8: 'utf8',
  'utf-8': 'utf8',
  utf16le: 'utf16le',
  'utf-16le': 'utf16le',
  latin1: 'latin1',
  ascii: 'ascii',
};

const CR = 0x0d;
const LF = 0x0a;

// bytes of the sequence that starts at `at`, of which `end` may cut off the rest: 0 where more must come
function utf8Length(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at] as number;
  const wanted = lead < 0xc2 || lead > 0xf4 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  for (let length = 1; length < wanted; length++) {
    if (at + length === end) return 0;
    if (((bytes[at + length] as number) & 0xc0) !== 0x80) return length;
  }
  return wanted;
}

function utf16Length(bytes: Uint8Array, at: number, end: number): number {
  if (at + 2 > end) return 0;
  const surrogate = (index: number): number => (bytes[index + 1] as number) & 0xfc;
  if (surrogate(at) !== 0xd8) return 2;
  if (at + 4 > end) return 0;
  return surrogate(at + 2) === 0xdc ? 4 : 2;
}

/** Text in bytes: what it is, where its characters and its lines end. Knows the state between two reads. */
export class TextCodec {
  private readonly codec: Codec;
  private readonly strict: boolean;
  /** Bytes of the smallest character. */
  private readonly unit: 1 | 2;
  // a carriage return was the end of a line: a line feed that follows belongs to it
  private afterReturn = false;

  constructor(
    encoding: FileEncoding,
    errors: FileErrors,
    private readonly newline: FileNewline,
  ) {
    checkOneOf('options.encoding', encoding, Object.keys(CODECS));
    this.codec = CODECS[encoding];
    this.strict = checkOneOf('options.errors', errors, ['strict', 'replace']) === 'strict';
    if (newline !== null) checkOneOf('options.newline', newline, ['', '\n', '\r', '\r\n']);
    this.unit = this.codec === 'utf16le' ? 2 : 1;
  }

  private get translates(): boolean {
    return this.newline === null;
  }

  private codeAt(bytes: Uint8Array, at: number): number {
    const low = bytes[at] as number;
    return this.unit === 1 ? low : low | ((bytes[at + 1] as number) << 8);
  }

  private characterLength(bytes: Uint8Array, at: number, end: number): number {
    if (this.codec === 'utf8') return utf8Length(bytes, at, end);
    return this.codec === 'utf16le' ? utf16Length(bytes, at, end) : 1;
  }

  /**
   * Bytes of the first `count` characters (code points; the end of a line, where it is translated, is
   * one), and how many there are.
   */
  measure(bytes: Uint8Array, count: number, ended: boolean): { size: number; characters: number } {
    let size = 0;
    let characters = 0;
    let { afterReturn } = this;
    while (size < bytes.length) {
      const length = this.characterLength(bytes, size, bytes.length) || (ended ? bytes.length - size : 0);
      if (length === 0) break;
      const code = length === this.unit ? this.codeAt(bytes, size) : 0;
      const second = this.translates && afterReturn && code === LF;
      if (characters === count && !second) break;
      if (!second) characters++;
      afterReturn = code === CR;
      size += length;
    }
    return { size, characters };
  }

  /** Bytes of the first line with its end; `undefined` where more must come. Looks from `from` on. */
  lineSize(bytes: Buffer, from: number, ended: boolean): number | undefined {
    const { newline, unit } = this;
    if (newline !== null && newline !== '') {
      const found = this.find(bytes, Buffer.from(newline, this.codec), from);
      return found === -1 ? undefined : found + newline.length * unit;
    }
    for (let at = this.lineStart(bytes, from); at + unit <= bytes.length; at += unit) {
      const code = this.codeAt(bytes, at);
      if (code === LF) return at + unit;
      if (code !== CR) continue;
      if (at + 2 * unit <= bytes.length) return at + (this.codeAt(bytes, at + unit) === LF ? 2 : 1) * unit;
      return ended || this.translates ? at + unit : undefined;
    }
    return undefined;
  }

  private lineStart(bytes: Buffer, from: number): number {
    const { unit } = this;
    const start = from - (from % unit);
    // a carriage return that ended what was looked at before is looked at again
    if (!this.translates) return Math.max(0, start - unit);
    return start === 0 ? this.pendingFeed(bytes) : start;
  }

  // bytes of a line feed at the start that belongs to the end of the line before
  private pendingFeed(bytes: Buffer): number {
    const { unit } = this;
    return this.afterReturn && bytes.length >= unit && this.codeAt(bytes, 0) === LF ? unit : 0;
  }

  /** Ends the text: bytes at the start that still belong to it. */
  finish(bytes: Buffer): number {
    const size = this.pendingFeed(bytes);
    this.afterReturn = false;
    return size;
  }

  private find(bytes: Buffer, newline: Buffer, from: number): number {
    // the end of a line may lie across what was looked at before
    let at = bytes.indexOf(newline, Math.max(0, from - newline.length + 1));
    while (at !== -1 && at % this.unit !== 0) at = bytes.indexOf(newline, at + 1);
    return at;
  }

  /** Whole characters as text. @throws SocketError `EILSEQ` for bytes that are none */
  decode(bytes: Buffer): string {
    if (this.strict) this.checkBytes(bytes);
    const text = this.codec === 'ascii' ? asciiText(bytes) : bytes.toString(this.codec);
    return this.translates ? this.translate(text) : text;
  }

  private checkBytes(bytes: Buffer): void {
    const { codec } = this;
    const valid =
      codec === 'latin1' ||
      (codec === 'utf8' && isUtf8(bytes)) ||
      (codec === 'ascii' && isAscii(bytes)) ||
      (codec === 'utf16le' && bytes.length % 2 === 0 && !/\p{Surrogate}/u.test(bytes.toString(codec)));
    if (!valid) {
      const remedy = "'replace' for options.errors puts U+FFFD in their place, takeBuffered() gives them as they are";
      throw socketError('read', 'EILSEQ', `there are bytes that are not ${codec}; ${remedy}`);
    }
  }

  private translate(text: string): string {
    if (text === '') return text;
    const rest = this.afterReturn && text.startsWith('\n') ? text.slice(1) : text;
    this.afterReturn = text.endsWith('\r');
    return rest.includes('\r') ? rest.replace(/\r\n?/g, '\n') : rest;
  }

  /** Text as bytes. @throws RangeError for characters that the encoding lacks */
  encode(argument: string, text: unknown): Buffer {
    if (typeof text !== 'string') throw invalidArgumentType(argument, 'a string', text);
    const { newline, codec } = this;
    const ends = newline === '\r' || newline === '\r\n' ? text.replaceAll('\n', newline) : text;
    if (codec === 'utf8' || codec === 'utf16le') {
      if (this.strict && /\p{Surrogate}/u.test(ends)) throw outOfRange(argument, 'text without lone surrogates', text);
      return Buffer.from(ends, codec);
    }
    const lacks = codec === 'latin1' ? /[^\0-\xff]/gu : /[^\0-\x7f]/gu;
    if (this.strict && lacks.test(ends)) throw outOfRange(argument, `text that ${codec} has characters for`, text);
    return Buffer.from(ends.replace(lacks, '?'), 'latin1');
  }
}

const asciiText = (bytes: Buffer): string => bytes.toString('latin1').replace(/[\x80-\xff]/g, '\ufffd');
