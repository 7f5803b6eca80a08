import { SOCK_DGRAM, SOCK_RAW, Socket } from '@sock/core';
import { type PacketInput, packet } from '@sock/packet';
import type { Case, Own } from '../compare.js';
import { py } from '../literal.js';

const ADDRESSES: unknown[][] = [
  ...['lo', '', 'no-such', 5, null, 'a-name-that-is-too-long'].map((name) => [name, 0]),
  ...[3, 0x0800, 0xffff, -1, 0x10000, 'x', 1.5].map((protocol) => ['lo', protocol]),
  ...[0, 4, 255, 256, -1, 'x'].map((packetType) => ['lo', 0, packetType]),
  ...[0, 1, 65_535, 'x'].map((hardwareType) => ['lo', 0, 0, hardwareType]),
  ...[Buffer.alloc(0), Buffer.alloc(6), Buffer.alloc(8), Buffer.alloc(9), 5].map((address) => ['lo', 0, 0, 0, address]),
];

function input([name, protocol, packetType, hardwareType, address]: readonly unknown[]): PacketInput {
  return {
    interface: name as string,
    protocol: protocol as number,
    ...(packetType !== undefined && { packetType: packetType as number }),
    ...(hardwareType !== undefined && { hardwareType: hardwareType as number }),
    ...(address !== undefined && { address: address as Buffer }),
  };
}

/** Sockets of packets are only bound here: nothing is sent. */
export const packetCases: Case[] = [
  ...ADDRESSES.map((parts) => ({
    title: `packet bind(${py(parts)})`,
    python: `s = socket(AF_PACKET, SOCK_RAW, 0); s.bind(${py(parts)}); s.getsockname()`,
    sock: (own: Own) => {
      const socket = own(new Socket(packet, SOCK_RAW, 0));
      socket.bindSync(input(parts));
      const name = socket.getsockname();
      return [name.interface, name.protocol, name.packetType, name.hardwareType, name.address];
    },
  })),
  ...[SOCK_RAW, SOCK_DGRAM].map((type) => ({
    title: `packet socket of type ${type}, unbound`,
    python: `socket(AF_PACKET, ${type}, 0).getsockname()`,
    sock: (own: Own) => {
      const name = own(new Socket(packet, type, 0)).getsockname();
      return [name.interface, name.protocol, name.packetType, name.hardwareType, name.address];
    },
  })),
  ...(['lo', 5, null, []] as const).map((address) => ({
    title: `packet bind(${py(address)})`,
    python: `socket(AF_PACKET, SOCK_RAW, 0).bind(${py(address)})`,
    sock: (own: Own) => own(new Socket(packet, SOCK_RAW, 0)).bindSync(address as never),
  })),
];
