import { type Data, toBytes } from './arguments.js';
import { SHUT_RD, SHUT_WR } from './constants.gen.js';
import { endDirection } from './end.js';
import type { Socket } from './socket.js';

const CHUNK = 65_536;

const readables = new WeakMap<Socket<unknown>, ReadableStream<Uint8Array>>();
const writables = new WeakMap<Socket<unknown>, WritableStream<Data>>();

/** The receiving direction as a byte stream, always the same one: nothing is read before somebody asks. */
export function webReadable(socket: Socket<unknown>): ReadableStream<Uint8Array> {
  const stream = readables.get(socket) ?? makeReadable(socket);
  readables.set(socket, stream);
  return stream;
}

/** The sending direction, always the same stream: a write is done when all of it was handed to the kernel. */
export function webWritable(socket: Socket<unknown>): WritableStream<Data> {
  const stream = writables.get(socket) ?? makeWritable(socket);
  writables.set(socket, stream);
  return stream;
}

function makeReadable(socket: Socket<unknown>): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      type: 'bytes',
      autoAllocateChunkSize: CHUNK,
      async pull(controller: ReadableByteStreamController) {
        const request = controller.byobRequest as ReadableStreamBYOBRequest;
        const view = request.view as Uint8Array;
        const count = await socket.recvInto(view, { timeout: null });
        if (count === 0) controller.close();
        request.respond(count);
      },
      cancel: () => endDirection(socket, SHUT_RD),
    },
    { highWaterMark: 0 },
  );
}

function makeWritable(socket: Socket<unknown>): WritableStream<Data> {
  return new WritableStream<Data>({
    write: (chunk) => socket.sendAll(toBytes('chunk', chunk), { timeout: null }),
    close: () => endDirection(socket, SHUT_WR),
    abort: () => endDirection(socket, SHUT_WR),
  });
}
