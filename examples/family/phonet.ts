// A whole address family, outside the packages: a codec is all it takes.
// AF_PHONET is how the kernel talks to the modems of some phones. Source: linux/phonet.h.
import { type AddressFamily, checkInteger, checkMembers, clauseOf, outOfRange } from '@sock/core';

const AF_PHONET = 35;
const SIZE = 16; // of struct sockaddr_pn

// what to do about a failed call
const CLAUSES = {
  'socket EAFNOSUPPORT': 'this kernel has no AF_PHONET; load the module phonet (modprobe phonet)',
};

/** A Phonet address. */
export interface PhonetAddress {
  /** Object in the device, 0 to 255. */
  object: number;
  /** Device, 0 to 255. */
  device: number;
  /** Resource (the kind of service), 0 to 255. */
  resource: number;
}

/** The codec: `new Socket(phonet, SOCK_DGRAM)`. */
export const phonet: AddressFamily<PhonetAddress, Partial<PhonetAddress>> = {
  name: 'phonet',
  domain: AF_PHONET,

  // `into` is zero but for the address family at its start, which is written already
  encode(input, into) {
    const { object = 0, device = 0, resource = 0 } = checkMembers('address', input, ['object', 'device', 'resource']);
    into[2] = checkInteger('address.object', object, 0, 255);
    into[3] = checkInteger('address.device', device, 0, 255);
    into[4] = checkInteger('address.resource', resource, 0, 255);
    return SIZE;
  },

  // what throws here becomes an UnknownAddress
  decode(sockaddr) {
    if (sockaddr.length < 5) throw outOfRange('sockaddr', `${SIZE} bytes`, sockaddr.length);
    const [, , object = 0, device = 0, resource = 0] = sockaddr;
    return { object, device, resource };
  },

  format: ({ device, object, resource }) => [device, object, resource].map((n) => n.toString(16)).join(':'),

  explain: (failure) => clauseOf(failure, CLAUSES),
};
