// What comes out of a guest's ports on its way to where it is shown.
import { Transform } from 'node:stream';

/** Passes bytes on until a token comes, which ends it: the guest's mark that nothing follows. */
export class UntilToken extends Transform {
  /** Whether the token has come. */
  complete = false;
  #token;
  #held = Buffer.alloc(0);

  /** @param {Buffer} token */
  constructor(token) {
    super();
    this.#token = token;
  }

  /**
   * @override
   * @param {Buffer} chunk
   * @param {BufferEncoding} _encoding
   * @param {import('node:stream').TransformCallback} done
   */
  _transform(chunk, _encoding, done) {
    if (this.complete) return done();
    const bytes = Buffer.concat([this.#held, chunk]);
    const end = bytes.indexOf(this.#token);
    if (end >= 0) {
      this.complete = true;
      this.#held = Buffer.alloc(0);
      if (end > 0) this.push(bytes.subarray(0, end));
      this.emit('complete');
      return done();
    }
    const keep = this.#startOfToken(bytes);
    this.#held = Buffer.from(bytes.subarray(bytes.length - keep));
    if (keep < bytes.length) this.push(bytes.subarray(0, bytes.length - keep));
    done();
  }

  /** @override @param {import('node:stream').TransformCallback} done */
  _flush(done) {
    if (this.#held.length > 0) this.push(this.#held);
    done();
  }

  /** How many bytes at the end could be the beginning of the token.
   * @param {Buffer} bytes
   */
  #startOfToken(bytes) {
    for (let length = Math.min(this.#token.length - 1, bytes.length); length > 0; length--) {
      if (bytes.subarray(bytes.length - length).equals(this.#token.subarray(0, length))) return length;
    }
    return 0;
  }
}

/** Puts a mark before each line, for the output of several guests on one terminal. */
export class MarkLines extends Transform {
  #mark;
  #rest = '';

  /** @param {string} mark */
  constructor(mark) {
    super({ decodeStrings: true });
    // bytes as characters, as those of the lines: a line may end anywhere, but not within a character
    this.#mark = Buffer.from(mark).toString('latin1');
  }

  /**
   * @override
   * @param {Buffer} chunk
   * @param {BufferEncoding} _encoding
   * @param {import('node:stream').TransformCallback} done
   */
  _transform(chunk, _encoding, done) {
    const lines = (this.#rest + chunk.toString('latin1')).split('\n');
    this.#rest = lines.pop() ?? '';
    if (lines.length > 0) this.push(lines.map((line) => `${this.#mark}${line}\n`).join(''), 'latin1');
    done();
  }

  /** @override @param {import('node:stream').TransformCallback} done */
  _flush(done) {
    if (this.#rest !== '') this.push(`${this.#mark}${this.#rest}\n`, 'latin1');
    done();
  }
}
