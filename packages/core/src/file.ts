import { checkObject } from './arguments.js';
import { block, run, type Target, type WaitOptions } from './drivers.js';
import { EINVAL, ENOSYS, EOPNOTSUPP } from './errno.js';
import { SocketError } from './errors.js';
import { type SendFile, type SendFileRange, sendFile } from './send.js';

const STEP = 65_536;

type File = number | { readonly fd: number };
type Options = WaitOptions & SendFileRange;

// what sendfile(2) says of files (pipes, terminals) and of sockets that it cannot serve
function refused(error: unknown, operation: SendFile): boolean {
  return (
    error instanceof SocketError && operation.transferred === 0 && [EINVAL, ENOSYS, EOPNOTSUPP].includes(-error.errno)
  );
}

const descriptorOf = (file: File): number => (typeof file === 'object' ? file.fd : file);

class Remaining {
  sent = 0;
  private readonly deadline: number | null;

  constructor(
    private readonly range: SendFileRange,
    private readonly options: Options,
    private readonly timeout: number | null,
  ) {
    this.deadline = timeout === null || timeout === 0 ? null : performance.now() + timeout;
  }

  get size(): number {
    return Math.min(STEP, (this.range.count ?? Number.MAX_SAFE_INTEGER) - this.sent);
  }

  get position(): number | null {
    return this.range.offset === undefined ? null : this.range.offset + this.sent;
  }

  get rest(): WaitOptions {
    const timeout =
      this.deadline === null ? this.timeout : Math.max(this.deadline - performance.now(), Number.MIN_VALUE);
    return { signal: this.options.signal, timeout };
  }
}

function withSent(error: unknown, sent: number): unknown {
  if (error instanceof SocketError) Object.assign(error, { transferred: (error.transferred ?? 0) + sent });
  return error;
}

export async function sendWhole(
  target: Target,
  sendAll: (data: Uint8Array, options: WaitOptions) => Promise<void>,
  file: File,
  options: Options,
): Promise<number> {
  const operation = sendFile(file, checkObject('options', options));
  try {
    return await run(target, operation, options);
  } catch (error) {
    if (!refused(error, operation)) throw error;
  }
  const { read } = process.getBuiltinModule('node:fs');
  const remaining = new Remaining(options, options, options.timeout === undefined ? target.timeout : options.timeout);
  const buffer = Buffer.allocUnsafeSlow(STEP);
  while (remaining.size > 0) {
    options.signal?.throwIfAborted();
    const count = await new Promise<number>((resolve, reject) => {
      read(descriptorOf(file), buffer, 0, remaining.size, remaining.position, (error, bytes) =>
        error === null ? resolve(bytes) : reject(error),
      );
    });
    if (count === 0) break;
    try {
      await sendAll(buffer.subarray(0, count), remaining.rest);
    } catch (error) {
      throw withSent(error, remaining.sent);
    }
    remaining.sent += count;
  }
  return remaining.sent;
}

export function sendWholeSync(
  target: Target,
  sendAll: (data: Uint8Array, options: WaitOptions) => void,
  file: File,
  options: Options,
): number {
  const operation = sendFile(file, checkObject('options', options));
  try {
    return block(target, operation, options);
  } catch (error) {
    if (!refused(error, operation)) throw error;
  }
  const { readSync } = process.getBuiltinModule('node:fs');
  const remaining = new Remaining(options, options, options.timeout === undefined ? target.timeout : options.timeout);
  const buffer = Buffer.allocUnsafeSlow(STEP);
  while (remaining.size > 0) {
    const count = readSync(descriptorOf(file), buffer, 0, remaining.size, remaining.position);
    if (count === 0) break;
    try {
      sendAll(buffer.subarray(0, count), remaining.rest);
    } catch (error) {
      throw withSent(error, remaining.sent);
    }
    remaining.sent += count;
  }
  return remaining.sent;
}
