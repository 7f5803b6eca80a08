import {
  booleanOption,
  invalidArgumentType,
  type OptionKey,
  readU16,
  readU32,
  type SocketOption,
  type WriteonlyOption,
} from '@sock/core';
import type { Inet6Input, IpAddress } from '../../address.js';
import * as c from '../../constants.gen.js';
import { decodeSockaddr, type FieldsInput, sockaddrSize, structure, writeSockaddr } from '../../fields.js';
import {
  assocFlag,
  assocList,
  assocOption,
  key,
  PACKED,
  type SctpAssocAddress,
  type SctpAssocOption,
  type SctpAssocStatus,
  type SctpAssocValueOption,
  writeOnly,
} from './shared.js';

// an association, a count, and one sockaddr_in or sockaddr_in6 behind the other
const ADDRESSES_HEADER = 8;

function sockaddrs(raw: Uint8Array): IpAddress[] {
  const addresses: IpAddress[] = [];
  const count = raw.length >= ADDRESSES_HEADER ? readU32(raw, 4) : 0;
  for (let at = ADDRESSES_HEADER; addresses.length < count; ) {
    const address = decodeSockaddr(raw.subarray(at));
    if (address === null) break;
    addresses.push(address);
    at += sockaddrSize(readU16(raw, at));
  }
  return addresses;
}

const ADDRESSES = 64 * 1024;

/** Addresses of the peer: sctp_getpaddrs(3). */
export const sctpGetPeerAddrs: SctpAssocStatus<IpAddress[]> = assocList(
  key(c.SCTP_GET_PEER_ADDRS, 'SCTP_GET_PEER_ADDRS'),
  ADDRESSES,
  sockaddrs,
);

/** Local addresses, of the socket or of an association: sctp_getladdrs(3). */
export const sctpGetLocalAddrs: SctpAssocStatus<IpAddress[]> = assocList(
  key(c.SCTP_GET_LOCAL_ADDRS, 'SCTP_GET_LOCAL_ADDRS'),
  ADDRESSES,
  // unlike for the peer's, the kernel leaves what stands before the addresses out of the length
  ({ buffer, byteOffset, length }) => {
    const room = Math.min(length + ADDRESSES_HEADER, buffer.byteLength - byteOffset);
    return sockaddrs(new Uint8Array(buffer, byteOffset, room));
  },
);

function addressesOption(key: OptionKey): WriteonlyOption<readonly Inet6Input[]> {
  return {
    ...key,
    encode(value, socket) {
      if (!Array.isArray(value)) throw invalidArgumentType('value', 'an array of addresses', value);
      const bytes = new Uint8Array(28 * value.length);
      let used = 0;
      value.forEach((address: unknown, i) => {
        used += writeSockaddr(`value[${i}]`, address, bytes, used, socket);
      });
      return bytes.subarray(0, used);
    },
  };
}

/** Add local addresses: sctp_bindx(3). Their port is that of the first, or 0. */
export const sctpBindxAdd: WriteonlyOption<readonly Inet6Input[]> = addressesOption(
  key(c.SCTP_SOCKOPT_BINDX_ADD, 'SCTP_SOCKOPT_BINDX_ADD'),
);

/** Remove local addresses: sctp_bindx(3). */
export const sctpBindxRem: WriteonlyOption<readonly Inet6Input[]> = addressesOption(
  key(c.SCTP_SOCKOPT_BINDX_REM, 'SCTP_SOCKOPT_BINDX_REM'),
);

/** Begin an association with a peer of several addresses, all with one port: sctp_connectx(3). `EINPROGRESS` says that it has begun. */
export const sctpConnectx: WriteonlyOption<readonly Inet6Input[]> = addressesOption(
  key(c.SCTP_SOCKOPT_CONNECTX, 'SCTP_SOCKOPT_CONNECTX'),
);

const assocAddress = structure<SctpAssocAddress>(132, PACKED);

/** Address of the peer to send to, where a message does not say another. */
export const sctpPrimaryAddr: SctpAssocOption<SctpAssocAddress> = assocOption(
  key(c.SCTP_PRIMARY_ADDR, 'SCTP_PRIMARY_ADDR'),
  assocAddress,
);

/**
 * Ask the peer to send to one of our addresses. Needs sctpAsconfSupported and sctpAuthSupported at both ends before they
 * connect, and sctpAsconfSupported on the socket that was accepted. Source: RFC 5061.
 */
export const sctpSetPeerPrimaryAddr: WriteonlyOption<FieldsInput<SctpAssocAddress>> = writeOnly(
  key(c.SCTP_SET_PEER_PRIMARY_ADDR, 'SCTP_SET_PEER_PRIMARY_ADDR'),
  assocAddress,
);

/** Reconfiguration of addresses, in associations to come. Source: RFC 5061. */
export const sctpAsconfSupported: SctpAssocValueOption<boolean> = assocFlag(
  key(c.SCTP_ASCONF_SUPPORTED, 'SCTP_ASCONF_SUPPORTED'),
);

/** Tell peers of addresses that come and go; for sockets bound to any address. Source: RFC 5061. */
export const sctpAutoAsconf: SocketOption<boolean> = booleanOption(key(c.SCTP_AUTO_ASCONF, 'SCTP_AUTO_ASCONF'));
