import { constants } from 'node:os';

const { errno: codes } = constants;

export const EINTR: number = codes.EINTR;
export const EBADF: number = codes.EBADF;
export const EAGAIN: number = codes.EAGAIN;
export const EACCES: number = codes.EACCES;
export const EPERM: number = codes.EPERM;
export const EEXIST: number = codes.EEXIST;
export const ENOENT: number = codes.ENOENT;
export const ENODEV: number = codes.ENODEV;
export const EINVAL: number = codes.EINVAL;
export const ENOSYS: number = codes.ENOSYS;
export const ENOTSOCK: number = codes.ENOTSOCK;
export const ENOPROTOOPT: number = codes.ENOPROTOOPT;
export const EOPNOTSUPP: number = codes.EOPNOTSUPP;
export const EAFNOSUPPORT: number = codes.EAFNOSUPPORT;
export const ECONNABORTED: number = codes.ECONNABORTED;
export const ETIMEDOUT: number = codes.ETIMEDOUT;
export const EINPROGRESS: number = codes.EINPROGRESS;
export const ECANCELED: number = codes.ECANCELED;
export const ENOBUFS: number = codes.ENOBUFS;
export const EISCONN: number = codes.EISCONN;

// what Linux has beyond POSIX, which Node's table leaves out. Source: errno(3), asm-generic/errno.h
const LINUX: Readonly<Record<number, string>> = {
  44: 'ECHRNG',
  49: 'EUNATCH',
  50: 'ENOCSI',
  52: 'EBADE',
  56: 'EBADRQC',
  64: 'ENONET',
  65: 'ENOPKG',
  66: 'EREMOTE',
  70: 'ECOMM',
  76: 'ENOTUNIQ',
  77: 'EBADFD',
  78: 'EREMCHG',
  85: 'ERESTART',
  87: 'EUSERS',
  94: 'ESOCKTNOSUPPORT',
  96: 'EPFNOSUPPORT',
  108: 'ESHUTDOWN',
  109: 'ETOOMANYREFS',
  112: 'EHOSTDOWN',
  117: 'EUCLEAN',
  121: 'EREMOTEIO',
  123: 'ENOMEDIUM',
  124: 'EMEDIUMTYPE',
  126: 'ENOKEY',
  127: 'EKEYEXPIRED',
  128: 'EKEYREVOKED',
  129: 'EKEYREJECTED',
  130: 'EOWNERDEAD',
  131: 'ENOTRECOVERABLE',
  132: 'ERFKILL',
  133: 'EHWPOISON',
  // the kernel's own, which reaches programs through netlink all the same. Source: linux/errno.h
  524: 'ENOTSUPP',
};

let names: Map<number, string> | undefined;

/** Symbolic name of a (positive) errno, such as `ECONNREFUSED`; `E<number>` for an unknown one. Source: errno(3). */
export function errnoName(errno: number): string {
  if (names === undefined) {
    names = new Map();
    for (const [name, value] of Object.entries(codes)) {
      // two numbers have two names: the one that sockets' manuals use stays
      if (name !== 'EWOULDBLOCK' && name !== 'ENOTSUP') names.set(value, name);
    }
  }
  return names.get(errno) ?? (process.platform === 'linux' ? LINUX[errno] : undefined) ?? `E${errno}`;
}

let numbers: Map<string, number> | undefined;

/** The (positive) errno of a symbolic name, 0 for an unknown one: the inverse of `errnoName`. */
export function errnoOf(name: string): number {
  if (numbers === undefined) {
    const own = process.platform === 'linux' ? Object.entries(LINUX) : [];
    numbers = new Map([
      ...own.map(([value, code]): [string, number] => [code, Number(value)]),
      ...Object.entries(codes),
    ]);
  }
  return numbers.get(name) ?? 0;
}
