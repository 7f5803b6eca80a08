import { clauseOf, type FailedCall } from '@sock/core';
import { BTPROTO_HCI, BTPROTO_ISO, BTPROTO_L2CAP, BTPROTO_RFCOMM, BTPROTO_SCO } from './constants.gen.js';

interface Protocol {
  name: string;
  types: string;
  /** What to do where the kernel lacks it. */
  remedy: string;
}

const PROTOCOLS: Readonly<Record<number, Protocol>> = {
  [BTPROTO_L2CAP]: {
    name: 'BTPROTO_L2CAP',
    types: 'SOCK_SEQPACKET, SOCK_STREAM, SOCK_DGRAM and SOCK_RAW',
    remedy: 'load the module bluetooth (modprobe bluetooth)',
  },
  [BTPROTO_HCI]: { name: 'BTPROTO_HCI', types: 'SOCK_RAW', remedy: 'load the module bluetooth (modprobe bluetooth)' },
  [BTPROTO_SCO]: {
    name: 'BTPROTO_SCO',
    types: 'SOCK_SEQPACKET',
    remedy: 'use a kernel with CONFIG_BT_BREDR, and load the module bluetooth (modprobe bluetooth)',
  },
  [BTPROTO_RFCOMM]: {
    name: 'BTPROTO_RFCOMM',
    types: 'SOCK_STREAM and SOCK_RAW',
    remedy: 'load the module rfcomm (modprobe rfcomm)',
  },
  [BTPROTO_ISO]: {
    name: 'BTPROTO_ISO',
    types: 'SOCK_SEQPACKET',
    remedy:
      'it needs Linux 6.0, CONFIG_BT_LE, and the experimental feature of the management interface (mgmtSetExpFeature, or btmgmt exp-iso on)',
  },
};

function explainSocket({ code, protocol }: FailedCall): string | undefined {
  const known = PROTOCOLS[protocol];
  if (code === 'EPERM' || code === 'EACCES') {
    return 'this needs CAP_NET_RAW (setcap cap_net_raw+ep $(which node), or run as root)';
  }
  if (code === 'ESOCKTNOSUPPORT' && known !== undefined) return `${known.name} has ${known.types} only`;
  if (code === 'EAFNOSUPPORT') return 'this kernel has no AF_BLUETOOTH; load the module bluetooth (modprobe bluetooth)';
  if (code !== 'EPROTONOSUPPORT') return undefined;
  if (known === undefined) return 'AF_BLUETOOTH has the protocols BTPROTO_L2CAP, _HCI, _SCO, _RFCOMM and _ISO';
  return `this kernel has no ${known.name}; ${known.remedy}`;
}

const PEER_GONE = 'the connection ended: the peer closed it, is out of reach, or the adapter was removed or taken down';
const POWERED = 'the adapter is down (power it: mgmtSetPowered, hciDeviceUp, or btmgmt power on)';

/** Clauses that hold for all protocols, by call and code. */
const COMMON: Readonly<Record<string, string>> = {
  'connect EHOSTUNREACH': 'there is no adapter that reaches this address: is one up?',
  'connect ENETDOWN': POWERED,
  'connect EHOSTDOWN': 'the device does not answer: out of reach, off, or not connectable',
  'connect ECONNREFUSED': 'the device has no such service, or refuses this connection',
  'connect EACCES': 'the security that one of the two asks for was not reached: pair the devices',
  'connect EBADE': 'the devices are not paired, or one of them has forgotten it',
  'connect ENOKEY': 'the devices are not paired, or one of them has forgotten it',
  'bind EACCES': 'numbers below the dynamic ones need CAP_NET_BIND_SERVICE',
  'bind EADDRNOTAVAIL': 'there is no adapter of this address',
  'send ENOTCONN': PEER_GONE,
  'recv ENOTCONN': PEER_GONE,
  'recv ECONNRESET': PEER_GONE,
  'recv ECONNABORTED': PEER_GONE,
  'recv EHOSTDOWN': PEER_GONE,
};

/** Clauses of one protocol, by call and code. */
const CLAUSES: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  [BTPROTO_L2CAP]: {
    'bind EINVAL':
      'a psm of BR/EDR is odd and has an even upper byte (0x1001 is the first that is free), one of LE is at most 0xff; the fixed channels are those of the kernel',
    'connect EINVAL':
      'the psm is none of this kind of address (odd, with an even upper byte, for BR/EDR), or the socket is bound to an address of the other kind',
    'send EMSGSIZE': 'the message is longer than what the peer takes (omtu of L2CAP_OPTIONS, or BT_SNDMTU)',
    'listen EOPNOTSUPP': 'the mode of the socket is switched off in this kernel (disable_ertm, enable_ecred)',
    'getsockopt ENOPROTOOPT': 'this kernel has no such option; BT_MODE is there where bluetooth.enable_ecred is set',
    'setsockopt ENOPROTOOPT': 'this kernel has no such option; BT_MODE is there where bluetooth.enable_ecred is set',
    'setsockopt EINVAL':
      'the option is not one of this kind of socket, of its address type, or of its state (some are set only before connect, some only after bind)',
  },
  [BTPROTO_RFCOMM]: {
    'bind EINVAL': 'a channel is a number from 1 to 30',
    'connect EINVAL': 'a channel is a number from 1 to 30',
    'listen EINVAL': 'all channels are taken',
  },
  [BTPROTO_HCI]: {
    'bind ENODEV': 'there is no such controller',
    'bind EINVAL':
      'the controller is named with the channels raw and user, and none with monitor, control and logging; one socket has one channel',
    'bind EPERM': 'this channel needs CAP_NET_ADMIN, or CAP_NET_RAW for monitor and logging',
    'bind EBUSY': 'the controller is up (take it down first), or another program has its user channel',
    'bind EALREADY': 'the socket is bound already',
    'send EBADFD': 'bind the socket to a controller first',
    'send ENETDOWN': POWERED,
    'send EPERM': 'this command needs CAP_NET_RAW',
    'send ENXIO': 'the controller was removed',
    'send EPIPE': 'the controller was removed',
    'recv EPIPE': 'the controller was removed',
    'recv EBADFD': 'the controller was removed, or the socket is not bound',
    'send EINVAL': 'bind the socket to a controller first; or this is no packet that its channel takes',
    'getsockopt EINVAL': 'only the channel raw has options',
    'setsockopt EINVAL': 'only the channel raw has options',
    'ioctl ENODEV': 'there is no such controller',
    'ioctl EPERM': 'this needs CAP_NET_ADMIN',
    'ioctl EACCES': 'this needs CAP_NET_ADMIN',
    'ioctl EALREADY': 'the controller is up already',
    'ioctl EBUSY': 'another program has the user channel of this controller',
    'ioctl ETIMEDOUT': 'the controller does not answer',
    'ioctl EBADFD': 'only a socket of the channel raw has these requests',
    'ioctl ERFKILL': 'radio is blocked (rfkill unblock bluetooth)',
  },
  [BTPROTO_SCO]: {
    'connect EOPNOTSUPP': 'the adapter has no voice of this kind (BT_VOICE), or no room for voice packets',
    'send EMSGSIZE': 'the message is longer than a voice packet of the adapter (SCO_OPTIONS)',
  },
};

/** The remedy for a failed call on a Bluetooth socket, where there is one to name. */
export function explain(failure: FailedCall): string | undefined {
  if (failure.syscall === 'socket') return explainSocket(failure);
  return clauseOf(failure, CLAUSES[failure.protocol] ?? {}) ?? clauseOf(failure, COMMON);
}
