import { checkInteger, checkObject, invalidArgumentType, readU32, type SocketOption, writeU32 } from '@sock/core';
import { ICMP_FILTER, ICMP6_FILTER, IPPROTO_ICMPV6, SOL_RAW } from '../constants.gen.js';

/** Which ICMP messages a raw socket receives: all but those to block, or none but those to pass. */
export type IcmpFilterInput =
  | { readonly block: readonly number[]; readonly pass?: undefined }
  | { readonly pass: readonly number[]; readonly block?: undefined };

/** Which ICMP messages a raw socket does not receive. */
export interface IcmpFilter {
  readonly block: number[];
}

// both filters are sets of bits, a bit that is set keeping its type away
function filterOption(
  key: { level: number; name: number; label: string },
  types: number,
): SocketOption<IcmpFilter, IcmpFilterInput> {
  return {
    ...key,
    size: types / 8,
    encode(value) {
      const { block, pass } = checkObject('value', value);
      const argument = block === undefined ? 'value.pass' : 'value.block';
      const listed: unknown = block ?? pass;
      if (!Array.isArray(listed) || (block !== undefined && pass !== undefined)) {
        throw invalidArgumentType('value', '{ block } or { pass }, an array of ICMP types', value);
      }
      const words = new Uint32Array(types / 32).fill(block === undefined ? 0xffffffff : 0);
      listed.forEach((type: unknown, i) => {
        const checked = checkInteger(`${argument}[${i}]`, type, 0, types - 1);
        const mask = 1 << (checked & 31);
        const word = checked >> 5;
        words[word] = block === undefined ? (words[word] as number) & ~mask : (words[word] as number) | mask;
      });
      const bytes = new Uint8Array(types / 8);
      words.forEach((word, i) => {
        writeU32(bytes, word, 4 * i);
      });
      return bytes;
    },
    decode(raw) {
      const block: number[] = [];
      for (let type = 0; type < types && (type >> 5) * 4 + 4 <= raw.length; type++) {
        if ((readU32(raw, (type >> 5) * 4) & (1 << (type & 31))) !== 0) block.push(type);
      }
      return { block };
    },
  };
}

/** Of a raw IPPROTO_ICMP socket: which messages (types 0 to 31) to receive. Source: raw(7). */
export const icmpFilter: SocketOption<IcmpFilter, IcmpFilterInput> = filterOption(
  { level: SOL_RAW, name: ICMP_FILTER, label: 'ICMP_FILTER' },
  32,
);

/** Of a raw IPPROTO_ICMPV6 socket: which messages (types 0 to 255) to receive. Source: RFC 3542. */
export const icmp6Filter: SocketOption<IcmpFilter, IcmpFilterInput> = filterOption(
  { level: IPPROTO_ICMPV6, name: ICMP6_FILTER, label: 'ICMP6_FILTER' },
  256,
);
