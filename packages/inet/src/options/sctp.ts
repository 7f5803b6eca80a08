import {
  booleanOption,
  checkBoolean,
  checkInteger,
  checkObject,
  type Data,
  integerOption,
  invalidArgumentType,
  type OptionKey,
  outOfRange,
  type ReadonlyOption,
  type RequestOption,
  readU16,
  readU32,
  type SocketOption,
  toBytes,
  uint32Option,
  writeI32,
  writeU16,
  writeU32,
} from '@sock/core';
import type { Inet6Input, IpAddress } from '../address.js';
import * as c from '../constants.gen.js';
import {
  checkAssocId,
  decodeSockaddr,
  type FieldsInput,
  flag,
  i32,
  type Structure,
  sockaddrSize,
  storage,
  structure,
  structureOption,
  u8,
  u16,
  u16be,
  u32,
  u64,
  writeSockaddr,
} from '../fields.js';
import {
  initMsg,
  type SctpAuthInfo,
  type SctpInitMsg,
  type SctpNxtInfo,
  type SctpPrInfo,
  type SctpRcvInfo,
  type SctpSndInfo,
  type SctpSndRcvInfo,
  scmSctpAuthInfo,
  scmSctpInit,
  scmSctpNxtInfo,
  scmSctpPrInfo,
  scmSctpRcvInfo,
  scmSctpSndInfo,
  scmSctpSndRcv,
  sndInfo,
  sndRcvInfo,
} from '../sctp-ancillary.js';
import { STORAGE_ALIGNMENT } from '../structures.js';
import { type WithMessage, type WriteonlyOption, withMessage } from './shared.js';

const level = c.IPPROTO_SCTP;

/** What belongs to one association. */
interface OfAssociation {
  /**
   * The association. Left out on a one-to-one socket; on a one-to-many socket nothing, or
   * SCTP_FUTURE_ASSOC, is all associations to come.
   */
  assocId: number;
}

/** The association that an option is read for; nothing on a one-to-one socket, or for associations to come. */
export type SctpAssocRequest = number | undefined;

/** An option of an association or, where none is named, of those to come. */
export type SctpAssocOption<T extends object> = RequestOption<T, SctpAssocRequest, FieldsInput<T>>;

/** An option of an association that is only read. */
export type SctpAssocStatus<T> = RequestOption<T, SctpAssocRequest>;

function assocRead<T extends OfAssociation>(key: OptionKey, codec: Structure<T>): SctpAssocStatus<T> {
  return {
    ...key,
    encodeRequest: (assocId, socket) =>
      codec.write('request', { assocId: checkAssocId('request', assocId) } as FieldsInput<T>, socket),
    decode: (raw) => codec.read(raw),
  };
}

function assocOption<T extends OfAssociation>(key: OptionKey, codec: Structure<T>): SctpAssocOption<T> {
  return { ...assocRead(key, codec), encode: (value, socket) => codec.write('value', value, socket) };
}

// an option that is read for what some members of its own structure name
function keyedRead<T extends object, Request extends FieldsInput<T>>(
  key: OptionKey,
  codec: Structure<T>,
): RequestOption<T, Request> {
  return {
    ...key,
    encodeRequest: (request, socket) => codec.write('request', request, socket),
    decode: (raw) => codec.read(raw),
  };
}

function keyedOption<T extends object, Request extends FieldsInput<T>>(
  key: OptionKey,
  codec: Structure<T>,
): RequestOption<T, Request, FieldsInput<T>> {
  return { ...keyedRead<T, Request>(key, codec), encode: (value, socket) => codec.write('value', value, socket) };
}

function writeOnly<T extends object>(key: OptionKey, codec: Structure<T>): WriteonlyOption<FieldsInput<T>> {
  return { ...key, encode: (value, socket) => codec.write('value', value, socket) };
}

/** A value, of one association where it is given with its number. */
export type SctpAssocValue<Value> = Value | { readonly assocId?: number | undefined; readonly value: Value };

/** An option of an association that is one value. */
export type SctpAssocValueOption<Value> = RequestOption<Value, SctpAssocRequest, SctpAssocValue<Value>>;

/** A struct sctp_assoc_value. */
function assocValue<Value extends number | boolean>(
  key: OptionKey,
  toKernel: (argument: string, value: unknown) => number,
  fromKernel: (value: number) => Value,
): SctpAssocValueOption<Value> {
  const bytes = (assocId: number, value: number): Uint8Array => {
    const structure = new Uint8Array(8);
    writeI32(structure, assocId, 0);
    writeU32(structure, value, 4);
    return structure;
  };
  return {
    ...key,
    encodeRequest: (assocId) => bytes(checkAssocId('request', assocId), 0),
    encode(value) {
      if (typeof value !== 'object' || value === null) return bytes(0, toKernel('value', value));
      return bytes(checkAssocId('value.assocId', value.assocId), toKernel('value.value', value.value));
    },
    decode: (raw) => fromKernel(raw.length >= 8 ? readU32(raw, 4) : 0),
  };
}

const assocNumber = (key: OptionKey, max = 0xffffffff): SctpAssocValueOption<number> =>
  assocValue(
    key,
    (argument, value) => checkInteger(argument, value, 0, max),
    (value) => value,
  );

const assocFlag = (key: OptionKey): SctpAssocValueOption<boolean> =>
  assocValue(
    key,
    (argument, value) => (checkBoolean(argument, value) ? 1 : 0),
    (value) => value !== 0,
  );

/** Retransmission timeouts, in milliseconds; 0 leaves as it is. Source: RFC 6458, `struct sctp_rtoinfo`. */
export interface SctpRtoInfo extends OfAssociation {
  initial: number;
  max: number;
  min: number;
}

/** Retransmission timeouts. */
export const sctpRtoInfo: SctpAssocOption<SctpRtoInfo> = assocOption(
  { level, name: c.SCTP_RTOINFO, label: 'SCTP_RTOINFO' },
  structure<SctpRtoInfo>(16, { assocId: i32(0), initial: u32(4), max: u32(8), min: u32(12) }),
);

/** Parameters of associations; 0 leaves as it is. Source: RFC 6458, `struct sctp_assocparams`. */
export interface SctpAssocInfo extends OfAssociation {
  /** Retransmissions in a row before the peer is taken for unreachable. */
  maxRetransmissions: number;
  /** Addresses of the peer; only read. */
  peerDestinations: number;
  /** Receive window of the peer, in bytes; only read. */
  peerWindow: number;
  /** Receive window, in bytes; only read. */
  localWindow: number;
  /** How long a cookie is good, in milliseconds. */
  cookieLife: number;
}

/** Parameters of associations. */
export const sctpAssocInfo: SctpAssocOption<SctpAssocInfo> = assocOption(
  { level, name: c.SCTP_ASSOCINFO, label: 'SCTP_ASSOCINFO' },
  structure<SctpAssocInfo>(20, {
    assocId: i32(0),
    maxRetransmissions: u16(4),
    peerDestinations: u16(6),
    peerWindow: u32(8),
    localWindow: u32(12),
    cookieLife: u32(16),
  }),
);

/** Streams and attempts of new associations; 0 leaves as it is. The message does so for one that it begins. */
export const sctpInitMsg: WithMessage<
  SocketOption<SctpInitMsg, FieldsInput<SctpInitMsg>>,
  SctpInitMsg,
  FieldsInput<SctpInitMsg>
> = withMessage(structureOption({ level, name: c.SCTP_INITMSG, label: 'SCTP_INITMSG' }, initMsg), scmSctpInit);

/** Send small messages at once, without Nagle's algorithm. */
export const sctpNoDelay: SocketOption<boolean> = booleanOption({ level, name: c.SCTP_NODELAY, label: 'SCTP_NODELAY' });

/** Seconds of silence after which associations are closed, 0 being never; one-to-many sockets only. */
export const sctpAutoClose: SocketOption<number> = integerOption({
  level,
  name: c.SCTP_AUTOCLOSE,
  label: 'SCTP_AUTOCLOSE',
  min: 0,
});

/** An address, for an association. */
export interface SctpAssocAddress extends OfAssociation {
  address: IpAddress | null;
}

const assocAddress = structure<SctpAssocAddress>(132, { assocId: i32(0), address: storage(4) });

/** Address of the peer to send to, where a message does not say another. */
export const sctpPrimaryAddr: SctpAssocOption<SctpAssocAddress> = assocOption(
  { level, name: c.SCTP_PRIMARY_ADDR, label: 'SCTP_PRIMARY_ADDR' },
  assocAddress,
);

/** Ask the peer to send to one of our addresses. Needs sctpAsconfSupported at both ends. Source: RFC 5061. */
export const sctpSetPeerPrimaryAddr: WriteonlyOption<FieldsInput<SctpAssocAddress>> = writeOnly(
  { level, name: c.SCTP_SET_PEER_PRIMARY_ADDR, label: 'SCTP_SET_PEER_PRIMARY_ADDR' },
  assocAddress,
);

/** Number that peers of new associations are told. Source: RFC 5061. */
export const sctpAdaptationLayer: SocketOption<number> = uint32Option({
  level,
  name: c.SCTP_ADAPTATION_LAYER,
  label: 'SCTP_ADAPTATION_LAYER',
});

/** Refuse messages that do not fit into a packet, with EMSGSIZE. */
export const sctpDisableFragments: SocketOption<boolean> = booleanOption({
  level,
  name: c.SCTP_DISABLE_FRAGMENTS,
  label: 'SCTP_DISABLE_FRAGMENTS',
});

/** What an option about one address of the peer is read for. */
export interface SctpPeerAddrRequest {
  readonly assocId?: number;
  /** Address of the peer; none, where that is allowed, is what holds for all. */
  readonly address?: Inet6Input;
}

/** How an address of the peer is watched; 0 leaves as it is. Source: RFC 6458, `struct sctp_paddrparams`. */
export interface SctpPeerAddrParams extends SctpAssocAddress {
  /** Milliseconds between heartbeats. */
  heartbeatInterval: number;
  /** Retransmissions in a row before the address is taken for unreachable. */
  pathMaxRetransmissions: number;
  /** Bytes. */
  pathMtu: number;
  /** Milliseconds. */
  sackDelay: number;
  /** SPP_HB_ENABLE, SPP_HB_DISABLE, SPP_HB_DEMAND, SPP_PMTUD_ENABLE, … or-ed together. */
  flags: number;
  /** With SPP_IPV6_FLOWLABEL. */
  ipv6FlowLabel: number;
  /** With SPP_DSCP. */
  dscp: number;
}

/** How an address of the peer, or all of them, are watched. */
export const sctpPeerAddrParams: RequestOption<
  SctpPeerAddrParams,
  SctpPeerAddrRequest,
  FieldsInput<SctpPeerAddrParams>
> = keyedOption(
  { level, name: c.SCTP_PEER_ADDR_PARAMS, label: 'SCTP_PEER_ADDR_PARAMS' },
  // packed: what follows the 16 bits of spp_pathmaxrxt is not aligned
  structure<SctpPeerAddrParams>(156, {
    assocId: i32(0),
    address: storage(4),
    heartbeatInterval: u32(132),
    pathMaxRetransmissions: u16(136),
    pathMtu: u32(138),
    sackDelay: u32(142),
    flags: u32(146),
    ipv6FlowLabel: u32(150),
    dscp: u8(154),
  }),
);

/** How messages are sent where they do not say it, in the older form. The message is for one message. */
export const sctpDefaultSendParam: WithMessage<
  SctpAssocOption<SctpSndRcvInfo>,
  SctpSndRcvInfo,
  FieldsInput<SctpSndRcvInfo>
> = withMessage(
  assocOption({ level, name: c.SCTP_DEFAULT_SEND_PARAM, label: 'SCTP_DEFAULT_SEND_PARAM' }, sndRcvInfo),
  scmSctpSndRcv,
);

/** How messages are sent where they do not say it. The message is for one message. */
export const sctpDefaultSndInfo: WithMessage<
  SctpAssocOption<SctpSndInfo>,
  SctpSndInfo,
  FieldsInput<SctpSndInfo>
> = withMessage(
  assocOption({ level, name: c.SCTP_DEFAULT_SNDINFO, label: 'SCTP_DEFAULT_SNDINFO' }, sndInfo),
  scmSctpSndInfo,
);

/** Receive with each message how it was sent and where it came from, as `message`. */
export const sctpRecvRcvInfo: WithMessage<SocketOption<boolean>, SctpRcvInfo, FieldsInput<SctpRcvInfo>> = withMessage(
  booleanOption({ level, name: c.SCTP_RECVRCVINFO, label: 'SCTP_RECVRCVINFO' }),
  scmSctpRcvInfo,
);

/** Receive with each message what is known of the next one, as `message`. */
export const sctpRecvNxtInfo: WithMessage<SocketOption<boolean>, SctpNxtInfo, FieldsInput<SctpNxtInfo>> = withMessage(
  booleanOption({ level, name: c.SCTP_RECVNXTINFO, label: 'SCTP_RECVNXTINFO' }),
  scmSctpNxtInfo,
);

/** Which notifications are received. Source: RFC 6458, `struct sctp_event_subscribe`. */
export interface SctpEvents {
  /** No notification: the control message SCTP_SNDRCV. */
  dataIo: boolean;
  assocChange: boolean;
  peerAddrChange: boolean;
  /** SCTP_SEND_FAILED. */
  sendFailed: boolean;
  remoteError: boolean;
  shutdown: boolean;
  partialDelivery: boolean;
  adaptation: boolean;
  authentication: boolean;
  senderDry: boolean;
  streamReset: boolean;
  assocReset: boolean;
  streamChange: boolean;
  /** SCTP_SEND_FAILED_EVENT. */
  sendFailedEvent: boolean;
}

/** Which notifications are received: all at once. */
export const sctpEvents: WithMessage<
  SocketOption<SctpEvents, FieldsInput<SctpEvents>>,
  SctpSndRcvInfo,
  FieldsInput<SctpSndRcvInfo>
> = withMessage(
  structureOption(
    { level, name: c.SCTP_EVENTS, label: 'SCTP_EVENTS' },
    structure<SctpEvents>(14, {
      dataIo: flag(0),
      assocChange: flag(1),
      peerAddrChange: flag(2),
      sendFailed: flag(3),
      remoteError: flag(4),
      shutdown: flag(5),
      partialDelivery: flag(6),
      adaptation: flag(7),
      authentication: flag(8),
      senderDry: flag(9),
      streamReset: flag(10),
      assocReset: flag(11),
      streamChange: flag(12),
      sendFailedEvent: flag(13),
    }),
  ),
  scmSctpSndRcv,
);

/** Whether one kind of notification is received. Source: RFC 6458, `struct sctp_event`. */
export interface SctpEvent extends OfAssociation {
  /** SCTP_ASSOC_CHANGE, SCTP_PEER_ADDR_CHANGE, … */
  type: number;
  on: boolean;
}

/** Whether one kind of notification is received. */
export const sctpEvent: RequestOption<
  SctpEvent,
  { readonly assocId?: number; readonly type: number },
  FieldsInput<SctpEvent>
> = keyedOption(
  { level, name: c.SCTP_EVENT, label: 'SCTP_EVENT' },
  structure<SctpEvent>(8, { assocId: i32(0), type: u16(4), on: flag(6) }),
);

/** On a socket of IPv6, IPv4 addresses appear as IPv6 addresses: by default so. Others are an UnknownAddress. */
export const sctpIWantMappedV4Addr: SocketOption<boolean> = booleanOption({
  level,
  name: c.SCTP_I_WANT_MAPPED_V4_ADDR,
  label: 'SCTP_I_WANT_MAPPED_V4_ADDR',
});

/** Largest piece of a message in one chunk, in bytes; 0 is what fits into a packet. */
export const sctpMaxSeg: SctpAssocValueOption<number> = assocNumber(
  { level, name: c.SCTP_MAXSEG, label: 'SCTP_MAXSEG' },
  0xffff,
);

/** State of an address of the peer. Source: RFC 6458, `struct sctp_paddrinfo`. */
export interface SctpPeerAddrInfo extends SctpAssocAddress {
  /** SCTP_ACTIVE, SCTP_INACTIVE, SCTP_UNCONFIRMED, SCTP_PF or SCTP_UNKNOWN. */
  state: number;
  /** Congestion window, in bytes. */
  cwnd: number;
  /** Smoothed round-trip time, in milliseconds. */
  srtt: number;
  /** Retransmission timeout, in milliseconds. */
  rto: number;
  /** Path MTU, in bytes. */
  mtu: number;
}

const peerAddrInfo: Structure<SctpPeerAddrInfo> = structure(152, {
  assocId: i32(0),
  address: storage(4),
  state: i32(132),
  cwnd: u32(136),
  srtt: u32(140),
  rto: u32(144),
  mtu: u32(148),
});

/** State of an address of the peer. */
export const sctpGetPeerAddrInfo: RequestOption<
  SctpPeerAddrInfo,
  SctpPeerAddrRequest & { readonly address: Inet6Input }
> = keyedRead({ level, name: c.SCTP_GET_PEER_ADDR_INFO, label: 'SCTP_GET_PEER_ADDR_INFO' }, peerAddrInfo);

/** State of an association. Source: RFC 6458, `struct sctp_status`. */
export interface SctpStatus extends OfAssociation {
  /** SCTP_ESTABLISHED, SCTP_SHUTDOWN_PENDING, … */
  state: number;
  /** Receive window of the peer, in bytes. */
  peerWindow: number;
  /** Chunks that were not acknowledged yet. */
  unacknowledged: number;
  /** Chunks that were received and not read yet. */
  pending: number;
  inStreams: number;
  outStreams: number;
  /** Bytes of a message from which on it is sent in pieces. */
  fragmentationPoint: number;
  /** The address that is sent to. */
  primary: SctpPeerAddrInfo;
}

const PRIMARY = 24;

/** State of an association. */
export const sctpStatus: SctpAssocStatus<SctpStatus> = assocRead(
  { level, name: c.SCTP_STATUS, label: 'SCTP_STATUS' },
  structure<SctpStatus>(PRIMARY + peerAddrInfo.size, {
    assocId: i32(0),
    state: i32(4),
    peerWindow: u32(8),
    unacknowledged: u16(12),
    pending: u16(14),
    inStreams: u16(16),
    outStreams: u16(18),
    fragmentationPoint: u32(20),
    primary: { read: (raw) => peerAddrInfo.read(raw.subarray(PRIMARY)), write: () => {} },
  }),
);

/** Delayed acknowledgements; 0 leaves as it is. Source: RFC 6458, `struct sctp_sack_info`. */
export interface SctpDelayedSack extends OfAssociation {
  /** Milliseconds, at most 500. */
  delay: number;
  /** Packets after which an acknowledgement is sent at once; 1 is no delay. */
  frequency: number;
}

/** Delayed acknowledgements. */
export const sctpDelayedSack: SctpAssocOption<SctpDelayedSack> = assocOption(
  { level, name: c.SCTP_DELAYED_SACK, label: 'SCTP_DELAYED_SACK' },
  structure<SctpDelayedSack>(12, { assocId: i32(0), delay: u32(4), frequency: u32(8) }),
);

/** Number that comes with what is received, and with notifications of failure. */
export const sctpContext: SctpAssocValueOption<number> = assocNumber({
  level,
  name: c.SCTP_CONTEXT,
  label: 'SCTP_CONTEXT',
});

/**
 * Whether the parts of long messages may alternate: 0 never, 1 those of different associations (the
 * default), 2 those of different streams too. Source: RFC 6458.
 */
export const sctpFragmentInterleave: SocketOption<number> = integerOption({
  level,
  name: c.SCTP_FRAGMENT_INTERLEAVE,
  label: 'SCTP_FRAGMENT_INTERLEAVE',
  min: 0,
  max: 2,
});

/** Bytes of a message after which its first part is delivered; 0 is the kernel's choice. */
export const sctpPartialDeliveryPoint: SocketOption<number> = uint32Option({
  level,
  name: c.SCTP_PARTIAL_DELIVERY_POINT,
  label: 'SCTP_PARTIAL_DELIVERY_POINT',
});

/** Packets that may be sent in a row; 0 is no limit. */
export const sctpMaxBurst: SctpAssocValueOption<number> = assocNumber({
  level,
  name: c.SCTP_MAX_BURST,
  label: 'SCTP_MAX_BURST',
});

/** Require a type of chunk to be authenticated, in associations to come. Source: RFC 4895. */
export const sctpAuthChunk: WriteonlyOption<number> = {
  level,
  name: c.SCTP_AUTH_CHUNK,
  label: 'SCTP_AUTH_CHUNK',
  encode: (value) => Uint8Array.of(checkInteger('value', value, 0, 0xff)),
};

// a count and the items behind it
function counted(raw: Uint8Array, offset: number, width: 1 | 2 | 4): number[] {
  const count = raw.length >= offset + 4 ? readU32(raw, offset) : 0;
  const room = Math.floor((raw.length - offset - 4) / width);
  return Array.from({ length: Math.min(count, Math.max(room, 0)) }, (_, i) => {
    const at = offset + 4 + i * width;
    return width === 4 ? readU32(raw, at) : width === 2 ? readU16(raw, at) : (raw[at] as number);
  });
}

const HMACS_MAX = 64;

/** Algorithms of authentication, the best first: SCTP_AUTH_HMAC_ID_SHA256, … SHA-1 must be among them. */
export const sctpHmacIdent: SocketOption<number[], readonly number[]> = {
  level,
  name: c.SCTP_HMAC_IDENT,
  label: 'SCTP_HMAC_IDENT',
  size: 4 + 2 * HMACS_MAX,
  encode(value) {
    if (!Array.isArray(value)) throw invalidArgumentType('value', 'an array of algorithms', value);
    const bytes = new Uint8Array(4 + 2 * value.length);
    writeU32(bytes, value.length, 0);
    value.forEach((algorithm: unknown, i) => {
      writeU16(bytes, checkInteger(`value[${i}]`, algorithm, 0, 0xffff), 4 + 2 * i);
    });
    return bytes;
  },
  decode: (raw) => counted(raw, 0, 2),
};

/** A shared key. */
export interface SctpAuthKey {
  readonly assocId?: number;
  /** 0 to 65535. */
  readonly keyNumber: number;
  /** Up to 65535 bytes. */
  readonly key: Data;
}

/** Set a shared key. Needs sctpAuthSupported at both ends. Source: RFC 4895. */
export const sctpAuthKey: WriteonlyOption<SctpAuthKey> = {
  level,
  name: c.SCTP_AUTH_KEY,
  label: 'SCTP_AUTH_KEY',
  encode(value) {
    const { assocId, keyNumber, key } = checkObject('value', value);
    const secret = toBytes('value.key', key);
    if (secret.length > 0xffff) throw outOfRange('value.key', 'at most 65535 bytes', `${secret.length} bytes`);
    const bytes = new Uint8Array(8 + secret.length);
    writeI32(bytes, checkAssocId('value.assocId', assocId), 0);
    writeU16(bytes, checkInteger('value.keyNumber', keyNumber, 0, 0xffff), 4);
    writeU16(bytes, secret.length, 6);
    bytes.set(secret, 8);
    return bytes;
  },
};

/** A key of an association. */
export interface SctpAuthKeyId extends OfAssociation {
  keyNumber: number;
}

const keyId = structure<SctpAuthKeyId>(8, { assocId: i32(0), keyNumber: u16(4) });

/** Key that is used for sending. The message says it for one message. */
export const sctpAuthActiveKey: WithMessage<
  SctpAssocOption<SctpAuthKeyId>,
  SctpAuthInfo,
  FieldsInput<SctpAuthInfo>
> = withMessage(
  assocOption({ level, name: c.SCTP_AUTH_ACTIVE_KEY, label: 'SCTP_AUTH_ACTIVE_KEY' }, keyId),
  scmSctpAuthInfo,
);

/** Delete a key that is not active. */
export const sctpAuthDeleteKey: WriteonlyOption<FieldsInput<SctpAuthKeyId>> = writeOnly(
  { level, name: c.SCTP_AUTH_DELETE_KEY, label: 'SCTP_AUTH_DELETE_KEY' },
  keyId,
);

/** Send nothing more with a key. */
export const sctpAuthDeactivateKey: WriteonlyOption<FieldsInput<SctpAuthKeyId>> = writeOnly(
  { level, name: c.SCTP_AUTH_DEACTIVATE_KEY, label: 'SCTP_AUTH_DEACTIVATE_KEY' },
  keyId,
);

// a request about an association whose answer may need `size` bytes
function assocList<T>(key: OptionKey, size: number, decode: (raw: Buffer) => T): SctpAssocStatus<T> {
  return {
    ...key,
    encodeRequest(assocId) {
      const bytes = new Uint8Array(size);
      writeI32(bytes, checkAssocId('request', assocId), 0);
      return bytes;
    },
    decode,
  };
}

/** Types of chunks that the peer wants authenticated. */
export const sctpPeerAuthChunks: SctpAssocStatus<number[]> = assocList(
  { level, name: c.SCTP_PEER_AUTH_CHUNKS, label: 'SCTP_PEER_AUTH_CHUNKS' },
  8 + 256,
  (raw) => counted(raw, 4, 1),
);

/** Types of chunks that this end wants authenticated. */
export const sctpLocalAuthChunks: SctpAssocStatus<number[]> = assocList(
  { level, name: c.SCTP_LOCAL_AUTH_CHUNKS, label: 'SCTP_LOCAL_AUTH_CHUNKS' },
  8 + 256,
  (raw) => counted(raw, 4, 1),
);

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
  { level, name: c.SCTP_GET_PEER_ADDRS, label: 'SCTP_GET_PEER_ADDRS' },
  ADDRESSES,
  sockaddrs,
);

/** Local addresses, of the socket or of an association: sctp_getladdrs(3). */
export const sctpGetLocalAddrs: SctpAssocStatus<IpAddress[]> = assocList(
  { level, name: c.SCTP_GET_LOCAL_ADDRS, label: 'SCTP_GET_LOCAL_ADDRS' },
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
export const sctpBindxAdd: WriteonlyOption<readonly Inet6Input[]> = addressesOption({
  level,
  name: c.SCTP_SOCKOPT_BINDX_ADD,
  label: 'SCTP_SOCKOPT_BINDX_ADD',
});

/** Remove local addresses: sctp_bindx(3). */
export const sctpBindxRem: WriteonlyOption<readonly Inet6Input[]> = addressesOption({
  level,
  name: c.SCTP_SOCKOPT_BINDX_REM,
  label: 'SCTP_SOCKOPT_BINDX_REM',
});

/** Begin an association with a peer of several addresses, all with one port: sctp_connectx(3). `EINPROGRESS` says that it has begun. */
export const sctpConnectx: WriteonlyOption<readonly Inet6Input[]> = addressesOption({
  level,
  name: c.SCTP_SOCKOPT_CONNECTX,
  label: 'SCTP_SOCKOPT_CONNECTX',
});

/** Number of associations of a one-to-many socket. */
export const sctpGetAssocNumber: ReadonlyOption<number> = {
  level,
  name: c.SCTP_GET_ASSOC_NUMBER,
  label: 'SCTP_GET_ASSOC_NUMBER',
  decode: (raw) => (raw.length >= 4 ? readU32(raw, 0) : 0),
};

/** Identifiers of the associations of a one-to-many socket. */
export const sctpGetAssocIdList: ReadonlyOption<number[]> = {
  level,
  name: c.SCTP_GET_ASSOC_ID_LIST,
  label: 'SCTP_GET_ASSOC_ID_LIST',
  size: 256 * 1024,
  decode: (raw) => counted(raw, 0, 4),
};

/** Tell peers of addresses that come and go; for sockets bound to any address. Source: RFC 5061. */
export const sctpAutoAsconf: SocketOption<boolean> = booleanOption({
  level,
  name: c.SCTP_AUTO_ASCONF,
  label: 'SCTP_AUTO_ASCONF',
});

/** Thresholds of an address. Source: RFC 7829, `struct sctp_paddrthlds_v2`. */
export interface SctpPeerAddrThresholds extends SctpAssocAddress {
  /** Retransmissions in a row before the address is taken for unreachable. */
  pathMaxRetransmissions: number;
  /** Retransmissions in a row after which it may have failed, and others are tried. */
  potentiallyFailed: number;
  /** Retransmissions in a row after which another address becomes the primary one. */
  primaryChange: number;
}

// what follows an assocId and a struct sockaddr_storage
const BEHIND_STORAGE = STORAGE_ALIGNMENT + 128;

/** Thresholds of an address of the peer, or of all. */
export const sctpPeerAddrThldsV2: RequestOption<
  SctpPeerAddrThresholds,
  SctpPeerAddrRequest,
  FieldsInput<SctpPeerAddrThresholds>
> = keyedOption(
  { level, name: c.SCTP_PEER_ADDR_THLDS_V2, label: 'SCTP_PEER_ADDR_THLDS_V2' },
  structure<SctpPeerAddrThresholds>(BEHIND_STORAGE + 8, {
    assocId: i32(0),
    address: storage(STORAGE_ALIGNMENT),
    pathMaxRetransmissions: u16(BEHIND_STORAGE),
    potentiallyFailed: u16(BEHIND_STORAGE + 2),
    primaryChange: u16(BEHIND_STORAGE + 4),
  }),
);

/** Several one-to-one sockets share a port. To be set before binding. */
export const sctpReusePort: SocketOption<boolean> = booleanOption({
  level,
  name: c.SCTP_REUSE_PORT,
  label: 'SCTP_REUSE_PORT',
});

/** Partial reliability, in associations to come. Source: RFC 3758. */
export const sctpPrSupported: SctpAssocValueOption<boolean> = assocFlag({
  level,
  name: c.SCTP_PR_SUPPORTED,
  label: 'SCTP_PR_SUPPORTED',
});

/** When messages are given up. */
export interface SctpDefaultPrInfo extends OfAssociation, SctpPrInfo {}

/** When messages are given up where they do not say it. The message is for one message. */
export const sctpDefaultPrInfo: WithMessage<
  SctpAssocOption<SctpDefaultPrInfo>,
  SctpPrInfo,
  FieldsInput<SctpPrInfo>
> = withMessage(
  assocOption(
    { level, name: c.SCTP_DEFAULT_PRINFO, label: 'SCTP_DEFAULT_PRINFO' },
    structure<SctpDefaultPrInfo>(12, { assocId: i32(0), value: u32(4), policy: u16(8) }),
  ),
  scmSctpPrInfo,
);

/** How many messages were given up. Source: RFC 7496, `struct sctp_prstatus`. */
export interface SctpPrStatus extends OfAssociation {
  stream: number;
  policy: number;
  /** Before they were sent. */
  abandonedUnsent: bigint;
  /** After they were sent. */
  abandonedSent: bigint;
}

const prStatus = structure<SctpPrStatus>(24, {
  assocId: i32(0),
  stream: u16(4),
  policy: u16(6),
  abandonedUnsent: u64(8),
  abandonedSent: u64(16),
});

/** How many messages of an association were given up: by one policy, or all (SCTP_PR_SCTP_ALL). */
export const sctpPrAssocStatus: RequestOption<SctpPrStatus, { readonly assocId?: number; readonly policy: number }> =
  keyedRead({ level, name: c.SCTP_PR_ASSOC_STATUS, label: 'SCTP_PR_ASSOC_STATUS' }, prStatus);

/** How many messages of a stream were given up. */
export const sctpPrStreamStatus: RequestOption<
  SctpPrStatus,
  { readonly assocId?: number; readonly stream: number; readonly policy: number }
> = keyedRead({ level, name: c.SCTP_PR_STREAM_STATUS, label: 'SCTP_PR_STREAM_STATUS' }, prStatus);

/** Reconfiguration of streams, in associations to come. Source: RFC 6525. */
export const sctpReconfigSupported: SctpAssocValueOption<boolean> = assocFlag({
  level,
  name: c.SCTP_RECONFIG_SUPPORTED,
  label: 'SCTP_RECONFIG_SUPPORTED',
});

/** What the peer may reconfigure: SCTP_ENABLE_RESET_STREAM_REQ, … or-ed together. Source: RFC 6525. */
export const sctpEnableStreamReset: SctpAssocValueOption<number> = assocNumber(
  { level, name: c.SCTP_ENABLE_STREAM_RESET, label: 'SCTP_ENABLE_STREAM_RESET' },
  c.SCTP_ENABLE_STRRESET_MASK,
);

/** Streams to reset: they count their messages from 0 again. */
export interface SctpResetStreams {
  readonly assocId?: number;
  /** SCTP_STREAM_RESET_OUTGOING, SCTP_STREAM_RESET_INCOMING, or both. */
  readonly flags: number;
  /** Numbers of the streams; all unless told. */
  readonly streams?: readonly number[];
}

/** Reset streams. The notification SCTP_STREAM_RESET_EVENT tells the outcome. Source: RFC 6525. */
export const sctpResetStreams: WriteonlyOption<SctpResetStreams> = {
  level,
  name: c.SCTP_RESET_STREAMS,
  label: 'SCTP_RESET_STREAMS',
  encode(value) {
    const { assocId, flags, streams = [] } = checkObject('value', value);
    if (!Array.isArray(streams)) throw invalidArgumentType('value.streams', 'an array of streams', streams);
    const bytes = new Uint8Array(8 + 2 * streams.length);
    writeI32(bytes, checkAssocId('value.assocId', assocId), 0);
    writeU16(bytes, checkInteger('value.flags', flags, 0, 0xffff), 4);
    writeU16(bytes, streams.length, 6);
    streams.forEach((stream: unknown, i) => {
      writeU16(bytes, checkInteger(`value.streams[${i}]`, stream, 0, 0xffff), 8 + 2 * i);
    });
    return bytes;
  },
};

/** Reset an association: all streams, and the numbers of what is sent. The value is the association. Source: RFC 6525. */
export const sctpResetAssoc: WriteonlyOption<number> = {
  level,
  name: c.SCTP_RESET_ASSOC,
  label: 'SCTP_RESET_ASSOC',
  encode: (value) => checkInteger('value', value, 0, 0x7fffffff),
};

/** Streams to add. */
export interface SctpAddStreams extends OfAssociation {
  /** How many more the peer may send on. */
  inStreams: number;
  /** How many more to send on. */
  outStreams: number;
}

/** Add streams. The notification SCTP_STREAM_CHANGE_EVENT tells the outcome. Source: RFC 6525. */
export const sctpAddStreams: WriteonlyOption<FieldsInput<SctpAddStreams>> = writeOnly(
  { level, name: c.SCTP_ADD_STREAMS, label: 'SCTP_ADD_STREAMS' },
  structure<SctpAddStreams>(8, { assocId: i32(0), inStreams: u16(4), outStreams: u16(6) }),
);

/** Which stream is sent from next: SCTP_SS_FCFS, SCTP_SS_PRIO or SCTP_SS_RR. */
export const sctpStreamScheduler: SctpAssocValueOption<number> = assocNumber({
  level,
  name: c.SCTP_STREAM_SCHEDULER,
  label: 'SCTP_STREAM_SCHEDULER',
});

/** The value of a stream for the scheduler. */
export interface SctpStreamValue extends OfAssociation {
  stream: number;
  value: number;
}

/** The value of a stream for the scheduler: its priority, for SCTP_SS_PRIO. */
export const sctpStreamSchedulerValue: RequestOption<
  SctpStreamValue,
  { readonly assocId?: number; readonly stream: number },
  FieldsInput<SctpStreamValue>
> = keyedOption(
  { level, name: c.SCTP_STREAM_SCHEDULER_VALUE, label: 'SCTP_STREAM_SCHEDULER_VALUE' },
  structure<SctpStreamValue>(8, { assocId: i32(0), stream: u16(4), value: u16(6) }),
);

/** Interleaving of messages, in associations to come; sctpFragmentInterleave must be 2. Source: RFC 8260. */
export const sctpInterleavingSupported: SctpAssocValueOption<boolean> = assocFlag({
  level,
  name: c.SCTP_INTERLEAVING_SUPPORTED,
  label: 'SCTP_INTERLEAVING_SUPPORTED',
});

/** Reconfiguration of addresses, in associations to come. Source: RFC 5061. */
export const sctpAsconfSupported: SctpAssocValueOption<boolean> = assocFlag({
  level,
  name: c.SCTP_ASCONF_SUPPORTED,
  label: 'SCTP_ASCONF_SUPPORTED',
});

/** Authentication, in associations to come. Source: RFC 4895. */
export const sctpAuthSupported: SctpAssocValueOption<boolean> = assocFlag({
  level,
  name: c.SCTP_AUTH_SUPPORTED,
  label: 'SCTP_AUTH_SUPPORTED',
});

/** Explicit congestion notification, in associations to come. */
export const sctpEcnSupported: SctpAssocValueOption<boolean> = assocFlag({
  level,
  name: c.SCTP_ECN_SUPPORTED,
  label: 'SCTP_ECN_SUPPORTED',
});

/** Whether notifications and states tell of addresses that may have failed. Source: RFC 7829. */
export const sctpExposePotentiallyFailedState: SctpAssocValueOption<number> = assocNumber(
  { level, name: c.SCTP_EXPOSE_POTENTIALLY_FAILED_STATE, label: 'SCTP_EXPOSE_POTENTIALLY_FAILED_STATE' },
  2,
);

/** The UDP port behind which an address of the peer speaks SCTP. Source: RFC 6951, `struct sctp_udpencaps`. */
export interface SctpUdpEncaps extends SctpAssocAddress {
  /** 0 is no UDP. */
  port: number;
}

/** The UDP port behind which the peer speaks SCTP; the kernel listens where net.sctp.udp_port says. */
export const sctpRemoteUdpEncapsPort: RequestOption<
  SctpUdpEncaps,
  SctpPeerAddrRequest,
  FieldsInput<SctpUdpEncaps>
> = keyedOption(
  { level, name: c.SCTP_REMOTE_UDP_ENCAPS_PORT, label: 'SCTP_REMOTE_UDP_ENCAPS_PORT' },
  structure<SctpUdpEncaps>(BEHIND_STORAGE + 8, {
    assocId: i32(0),
    address: storage(STORAGE_ALIGNMENT),
    port: u16be(BEHIND_STORAGE),
  }),
);

/** How often the path MTU is probed. Source: RFC 8899, `struct sctp_probeinterval`. */
export interface SctpProbeInterval extends SctpAssocAddress {
  /** Milliseconds, at least 5000; 0 is never. */
  interval: number;
}

/** How often the path MTU to an address of the peer, or to all, is probed. */
export const sctpPlpmtudProbeInterval: RequestOption<
  SctpProbeInterval,
  SctpPeerAddrRequest,
  FieldsInput<SctpProbeInterval>
> = keyedOption(
  { level, name: c.SCTP_PLPMTUD_PROBE_INTERVAL, label: 'SCTP_PLPMTUD_PROBE_INTERVAL' },
  structure<SctpProbeInterval>(BEHIND_STORAGE + 8, {
    assocId: i32(0),
    address: storage(STORAGE_ALIGNMENT),
    interval: u32(BEHIND_STORAGE),
  }),
);

/** Statistics of an association. Source: the kernel's sctp.h, `struct sctp_assoc_stats`. */
export interface SctpAssocStats extends OfAssociation {
  /** Where `maxRto` was seen. */
  maxRtoAddress: IpAddress | null;
  /** Longest retransmission timeout since this was read last, in milliseconds; 0 where it has not changed. */
  maxRto: bigint;
  sacksReceived: bigint;
  sacksSent: bigint;
  packetsSent: bigint;
  packetsReceived: bigint;
  retransmittedChunks: bigint;
  /** Beyond the next one expected. */
  outOfSequence: bigint;
  duplicateChunks: bigint;
  gapAcknowledgements: bigint;
  unorderedChunksSent: bigint;
  unorderedChunksReceived: bigint;
  orderedChunksSent: bigint;
  orderedChunksReceived: bigint;
  controlChunksSent: bigint;
  controlChunksReceived: bigint;
}

/** Statistics of an association. */
export const sctpGetAssocStats: SctpAssocStatus<SctpAssocStats> = assocRead(
  { level, name: c.SCTP_GET_ASSOC_STATS, label: 'SCTP_GET_ASSOC_STATS' },
  structure<SctpAssocStats>(256, {
    assocId: i32(0),
    maxRtoAddress: storage(STORAGE_ALIGNMENT),
    maxRto: u64(136),
    sacksReceived: u64(144),
    sacksSent: u64(152),
    packetsSent: u64(160),
    packetsReceived: u64(168),
    retransmittedChunks: u64(176),
    outOfSequence: u64(184),
    duplicateChunks: u64(192),
    gapAcknowledgements: u64(200),
    unorderedChunksSent: u64(208),
    unorderedChunksReceived: u64(216),
    orderedChunksSent: u64(224),
    orderedChunksReceived: u64(232),
    controlChunksSent: u64(240),
    controlChunksReceived: u64(248),
  }),
);
