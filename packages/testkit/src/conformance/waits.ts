import { MessageBatch, type Socket, soRcvBuf, soSndBuf } from '@sock/core';
import { delay } from '../time.js';
import type { Bench } from './bench.js';
import type { Operation } from './forms.js';

/** A call that has to wait, on a socket that was made for it. */
export interface WaitingCall {
  operation: Operation;
  /** Arguments before the options. */
  args: unknown[];
}

/** The receiving operations with arguments: all wait on a connected socket whose peer is silent. */
export function receivingCalls<A, I>(bench: Bench<A, I>): WaitingCall[] {
  const calls: WaitingCall[] = [
    { operation: 'recv', args: [8] },
    { operation: 'recvInto', args: [new Uint8Array(8)] },
    { operation: 'recvFrom', args: [8] },
    { operation: 'recvFromInto', args: [new Uint8Array(8)] },
    { operation: 'recvMsg', args: [8, 64] },
    { operation: 'recvMsgInto', args: [[new Uint8Array(8)], 64] },
    { operation: 'waitReadable', args: [] },
  ];
  if (bench.supports.batch) {
    calls.push({ operation: 'recvBatch', args: [new MessageBatch({ count: 2, size: 8 })] });
  }
  return calls;
}

/** The sending operations with arguments: all wait on the first socket of a `fullPair`. */
export function sendingCalls<A, I>(bench: Bench<A, I>): WaitingCall[] {
  const calls: WaitingCall[] = [
    { operation: 'send', args: [Buffer.alloc(4096)] },
    { operation: 'sendAll', args: [Buffer.alloc(4096)] },
    { operation: 'sendMsg', args: [[Buffer.alloc(4000), Buffer.alloc(96)]] },
    { operation: 'waitWritable', args: [] },
  ];
  if (bench.supports.batch) {
    const batch = new MessageBatch({ count: 2, size: 4096 });
    batch.push(Buffer.alloc(4096));
    calls.push({ operation: 'sendBatch', args: [batch] });
  }
  return calls;
}

/** A pair whose first socket is full: nothing more can be sent before the second receives. */
export async function fullPair<A, I>(bench: Bench<A, I>): Promise<FullPair<A, I>> {
  const [a, b] = await bench.pair();
  if (bench.supports.bufferSizes) {
    // as small as can be: in larger buffers a kernel makes room once more when a late
    // acknowledgement or window probe comes
    a.setOption(soSndBuf, 1);
    b.setOption(soRcvBuf, 1);
  }
  const taken = { bytes: 0, messages: 0 };
  for (let quiet = 0; quiet < 3; ) {
    const before = taken.messages;
    stuff(a, taken);
    quiet = taken.messages === before ? quiet + 1 : 0;
    await delay(2);
  }
  return { a, b, taken };
}

/** Two sockets, and what the first sent to the second until it was full. */
export interface FullPair<A, I> {
  a: Socket<A, I>;
  b: Socket<A, I>;
  taken: { bytes: number; messages: number };
}

function stuff<A, I>(socket: Socket<A, I>, taken: { bytes: number; messages: number }): void {
  const piece = Buffer.alloc(4096, 0x66);
  // down to single bytes: what is left of the room must not do for a later small send
  for (let size = piece.length; size >= 1; size = size === 1 ? 0 : size >> 4 || 1) {
    for (;;) {
      const count = socket.trySend(piece.subarray(0, size));
      if (count === null) break;
      taken.bytes += count;
      taken.messages++;
      if (taken.messages > 1_000_000) throw new Error('the socket is never full');
    }
  }
}

/** Receives what a `fullPair` has sent. */
export async function empty<A, I>(socket: Socket<A, I>, taken: { bytes: number }): Promise<void> {
  const bytes = new Uint8Array(65_536);
  for (let left = taken.bytes; left > 0; ) left -= await socket.recvInto(bytes);
}

/** Receives what has come on a stream: a kernel may keep whoever ends a connection waiting until its peer has room. */
export function drain<A, I>(socket: Socket<A, I>): Buffer {
  const pieces: Buffer[] = [];
  for (let piece = socket.tryRecv(65_536); piece !== null && piece.length > 0; piece = socket.tryRecv(65_536)) {
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
