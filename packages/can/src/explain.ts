import { clauseOf, type FailedCall } from '@sock/core';
import { CAN_BCM, CAN_ISOTP, CAN_J1939, CAN_RAW } from './constants.gen.js';

interface Protocol {
  name: string;
  module: string;
  type: string;
}

const PROTOCOLS: Readonly<Record<number, Protocol>> = {
  [CAN_RAW]: { name: 'CAN_RAW', module: 'can_raw', type: 'SOCK_RAW' },
  [CAN_BCM]: { name: 'CAN_BCM', module: 'can_bcm', type: 'SOCK_DGRAM' },
  [CAN_ISOTP]: { name: 'CAN_ISOTP', module: 'can_isotp', type: 'SOCK_DGRAM' },
  [CAN_J1939]: { name: 'CAN_J1939', module: 'can_j1939', type: 'SOCK_DGRAM' },
};

const SOCKET_CODES = ['EAFNOSUPPORT', 'EPROTONOSUPPORT', 'ESOCKTNOSUPPORT', 'EPROTOTYPE'];

function explainSocket({ code, protocol }: FailedCall): string | undefined {
  if (!SOCKET_CODES.includes(code)) return undefined;
  const known = PROTOCOLS[protocol];
  if (known === undefined) return 'AF_CAN has the protocols CAN_RAW, CAN_BCM, CAN_ISOTP and CAN_J1939';
  const { name, module, type } = known;
  if (code === 'ESOCKTNOSUPPORT' || code === 'EPROTOTYPE') return `${name} has ${type} only`;
  const missing = code === 'EAFNOSUPPORT' ? 'AF_CAN' : name;
  return `this kernel has no ${missing}; load the module ${module} (modprobe ${module})`;
}

/** Clauses that hold for all protocols, by call and code. */
const COMMON: Readonly<Record<string, string>> = {
  'recv ENETDOWN':
    'the interface went down; the socket stays bound, and receives again when it is up (ip link set <interface> up)',
  'recv ENODEV': 'the interface was removed; the socket is not bound any more',
  'send ENETDOWN': 'the interface is down (ip link set <interface> up)',
  'send ENODEV': 'there is no such CAN interface (any more)',
  'send ENOBUFS':
    "the interface's queue is full: nothing was sent; send again later, or lengthen it (ip link set <interface> txqueuelen 1000)",
  'bind ENODEV': 'there is no such CAN interface',
  'bind ENETDOWN': 'the interface is down (ip link set <interface> up)',
  'connect ENODEV': 'there is no such CAN interface',
};

/** Clauses of one protocol, by call and code. */
const CLAUSES: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  [CAN_RAW]: {
    'send EINVAL':
      'the interface or the socket does not take such a frame: CAN FD needs an mtu of 72 and the option CAN_RAW_FD_FRAMES, CAN XL an mtu of 2060 and CAN_RAW_XL_FRAMES',
    'send EPERM': 'the interface is no CAN interface',
    'send ENXIO': 'the socket is bound to no interface in particular: name one with the frame, or bind it to one',
  },
  [CAN_BCM]: {
    'send ENOTCONN': 'connect the socket first, to an interface or to all of them',
    'send EINVAL': 'there is no such job, or the message is not one that the broadcast manager takes',
    'send ENODEV': 'what sends needs one interface: connect the socket to it, or name it with the job',
    'connect EISCONN': 'the socket is connected already',
  },
  [CAN_ISOTP]: {
    'bind EADDRNOTAVAIL': 'the identifiers must be valid, and differ from each other',
    'bind EINVAL': 'the socket is bound already, or an identifier is not valid',
    'setsockopt EISCONN': 'the options of ISO-TP are set before the socket is bound',
    'send EADDRNOTAVAIL': 'the socket is not bound, or the interface was removed',
    'send EINVAL': 'a message has 1 byte or more, and as many at most as one frame holds with CAN_ISOTP_SF_BROADCAST',
    'send ECOMM': 'the receiver sent no flow control, or the interface did not send a frame, within a second',
    'send EMSGSIZE': 'the receiver has no room for a message this long (or the kernel: see max_pdu_size)',
    'recv EADDRNOTAVAIL': 'the socket is not bound, or the interface was removed',
    'recv ECOMM': 'what was sent last: the receiver sent no flow control within a second',
    'recv EMSGSIZE': 'what was sent last: the receiver has no room for a message this long',
    'recv ETIMEDOUT': 'the rest of a message did not come within a second',
    'recv EILSEQ': 'a frame of a message was lost',
    'recv EBADMSG': 'a frame was not padded as it should be, or was malformed',
  },
  [CAN_J1939]: {
    'send EACCES': 'sending to all stations (address 255) needs the option SO_BROADCAST',
    'send EBADFD': 'the socket must be bound first',
    'send EADDRNOTAVAIL': 'the name has not claimed an address, or not long enough ago (250 ms)',
    'send EHOSTUNREACH': 'the receiver did not answer',
    'send EPROTO': 'an address claim must come from the name that it names, and go to all stations',
    'bind EINVAL': 'the socket is bound to another interface already, or the group number is not valid',
    'connect EINVAL': 'the socket must be bound first, and to the same interface',
    'connect EACCES': 'sending to all stations (address 255) needs the option SO_BROADCAST',
  },
};

/** The remedy for a failed call on a CAN socket, where there is one to name. */
export function explain(failure: FailedCall): string | undefined {
  if (failure.syscall === 'socket') return explainSocket(failure);
  return clauseOf(failure, CLAUSES[failure.protocol] ?? {}) ?? clauseOf(failure, COMMON);
}
