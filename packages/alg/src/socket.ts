import {
  type AncillaryItem,
  checkInteger,
  checkObject,
  type Data,
  type FlagOptions,
  invalidArgumentType,
  Socket,
  socketError,
  type TransferOptions,
  toBytes,
} from '@sock/core';
import { type AlgAddress, type AlgInput, alg } from './address.js';
import { scmAlgSetAeadAssoclen, scmAlgSetIv, scmAlgSetOp } from './ancillary.js';

/** What a request is to be. */
export interface AlgRequest {
  /** ALG_OP_ENCRYPT or ALG_OP_DECRYPT. */
  operation: number;
  /** Initialization vector; zeros, or where the request before left off, where there is none. */
  iv?: Data | undefined;
  /** Bytes at the beginning that are associated data (AEAD); 0 unless told. */
  assoclen?: number | undefined;
}

/** Options of `sendmsgAfalg`. */
export interface SendmsgAfalgOptions extends AlgRequest, TransferOptions {}

interface Message {
  buffers: Uint8Array[];
  size: number;
  options: TransferOptions & { ancillary: AncillaryItem[] };
}

function toMessage(buffers: readonly Data[], options: SendmsgAfalgOptions): Message {
  if (!Array.isArray(buffers)) throw invalidArgumentType('buffers', 'an array of buffers', buffers);
  const bytes = buffers.map((buffer: Data, i) => toBytes(`buffers[${i}]`, buffer));
  const { operation, iv, assoclen, ...rest } = checkObject('options', options);
  const ancillary = [scmAlgSetOp.create(checkInteger('options.operation', operation, 0, 0xffffffff))];
  if (iv !== undefined) ancillary.push(scmAlgSetIv.create(toBytes('options.iv', iv)));
  if (assoclen !== undefined) {
    ancillary.push(scmAlgSetAeadAssoclen.create(checkInteger('options.assoclen', assoclen, 0, 0xffffffff)));
  }
  const size = bytes.reduce((sum, { length }) => sum + length, 0);
  return { buffers: bytes, size, options: { ...rest, ancillary } };
}

// A part of a request would be taken for the whole of it.
function whole(count: number, size: number): number {
  if (count === size) return count;
  const clause = `of ${size} bytes ${count} had room (SO_SNDBUF); send in pieces with MSG_MORE, and receive between them`;
  throw Object.assign(socketError('sendmsg', 'EMSGSIZE', clause), { transferred: count });
}

/**
 * An AF_ALG socket. `bind` it to an algorithm, give it its key (`setOption(algSetKey, …)`), and
 * `accept` a socket for each operation; `address` of what `accept` gives tells nothing.
 *
 * A hash takes data in as many pieces as there are (`send` with MSG_MORE), and gives its digest to
 * `recv`. A cipher is sent a request with `sendmsgAfalg`, further pieces with `send` and MSG_MORE, and
 * gives as many bytes as it was sent. A generator is only received from, 128 bytes at a time.
 * Hashes are always ready, though poll(2) does not say so: do not `waitReadable` for them.
 * Source: kernel, crypto/userspace-if.
 */
export class AlgSocket extends Socket<AlgAddress, AlgInput> {
  /** @throws SocketError `EAFNOSUPPORT` where the kernel has no AF_ALG */
  constructor() {
    super(alg);
  }

  /**
   * Sends a request, or the first piece of one (MSG_MORE), to a cipher: Python's `sendmsg_afalg`.
   * @param buffers the data; for AEAD the associated data, then the data, then, to decrypt, the tag
   * @returns how many bytes were sent: all of them
   * @throws SocketError `EINVAL` for a vector that the algorithm does not take, or while an earlier
   * request was not received; `ENOKEY`; `EMSGSIZE` where there is no room for all of it: the
   * request is spoilt then, and its socket is to be closed
   */
  async sendmsgAfalg(buffers: readonly Data[], options: SendmsgAfalgOptions): Promise<number> {
    const message = toMessage(buffers, options);
    return whole(await this.sendMsg(message.buffers, message.options), message.size);
  }

  /** As `sendmsgAfalg`, blocking the thread while there is no room at all. */
  sendmsgAfalgSync(buffers: readonly Data[], options: SendmsgAfalgOptions): number {
    const message = toMessage(buffers, options);
    return whole(this.sendMsgSync(message.buffers, message.options), message.size);
  }

  /** As `sendmsgAfalg`, without waiting: `null` where there is no room at all. */
  trySendmsgAfalg(buffers: readonly Data[], options: AlgRequest & FlagOptions): number | null {
    const message = toMessage(buffers, options);
    const count = this.trySendMsg(message.buffers, message.options);
    return count === null ? null : whole(count, message.size);
  }
}
