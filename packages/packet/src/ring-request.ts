import {
  checkInteger,
  checkObject,
  type SocketError,
  type SocketHandle,
  type WriteonlyOption,
  writeU32,
} from '@sock/core';
import type { PacketAddress, PacketInput } from './address.js';
import { PACKET_RX_RING, PACKET_TX_RING, SOL_PACKET } from './constants.gen.js';

/**
 * Size and behaviour of a ring, of members that are 0 unless told. All 0 removes a ring that is not
 * mapped. Source: the kernel's networking/packet_mmap, `struct tpacket_req3`.
 */
export interface RingRequest {
  /** Bytes of a block: a multiple of the page size. */
  readonly blockSize?: number | undefined;
  /** Number of blocks. */
  readonly blocks?: number | undefined;
  /** Bytes of a frame: a multiple of TPACKET_ALIGNMENT. */
  readonly frameSize?: number | undefined;
  /** Number of frames: as many as all blocks have room for. */
  readonly frames?: number | undefined;
  /** TPACKET_V3, to receive: milliseconds after which a block is handed over that is not full; 0: the kernel's choice. */
  readonly blockTimeout?: number | undefined;
  /** TPACKET_V3, to receive: bytes at the start of each block that are the program's own. */
  readonly privateSize?: number | undefined;
  /** TPACKET_V3, to receive: TP_FT_REQ_*, or-ed together. */
  readonly features?: number | undefined;
}

function ringOption(name: number, label: string): WriteonlyOption<RingRequest> {
  return {
    level: SOL_PACKET,
    name,
    label,
    encode(value) {
      const {
        blockSize = 0,
        blocks = 0,
        frameSize = 0,
        frames = 0,
        blockTimeout = 0,
        privateSize = 0,
        features = 0,
      } = checkObject('value', value);
      const members = { blockSize, blocks, frameSize, frames, blockTimeout, privateSize, features };
      const bytes = new Uint8Array(28);
      Object.entries(members).forEach(([member, number], i) => {
        writeU32(bytes, checkInteger(`value.${member}`, number, 0, 0xffffffff), i * 4);
      });
      return bytes;
    },
  };
}

/**
 * Sets up a ring to receive with, which `mapDescriptor` then maps. `PacketSocket.ring` does it all.
 * @throws SocketError `EINVAL`, `ENOMEM`, `EBUSY` where there is one
 */
export const packetRxRing = ringOption(PACKET_RX_RING, 'PACKET_RX_RING');
/** As `packetRxRing`, to send with. `PacketSocket.transmitRing` does it all. */
export const packetTxRing = ringOption(PACKET_TX_RING, 'PACKET_TX_RING');

/** Removes a ring whose memory is not mapped here any more. */
export function removeRing(
  socket: SocketHandle<PacketAddress, PacketInput>,
  option: WriteonlyOption<RingRequest>,
): void {
  try {
    socket.setOption(option, {});
  } catch (error) {
    // somebody else has it mapped, or packets are under way in it: the kernel keeps it with the socket
    if ((error as Partial<SocketError>).code !== 'EBUSY') throw error;
  }
}
