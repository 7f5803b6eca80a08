import {
  AF_INET,
  AF_INET6,
  checkBoolean,
  checkInteger,
  checkObject,
  checkString,
  outOfRange,
  SOCK_STREAM,
  type SocketOptions,
  soReuseAddr,
  soReusePort,
} from '@sock/core';
import {
  checkIpFamily,
  checkNamespace,
  checkPrepare,
  type IpFamily,
  type IpSocket,
  type Kind,
  openSocket,
} from './connection.js';
import { AI_PASSIVE } from './constants.gen.js';
import { type AddressInfo, getaddrinfo, getaddrinfoSync } from './netdb.js';
import { ipv6V6Only } from './options/ipv6.js';
import { isIPv4, isIPv6 } from './text.js';

/** Where and how to listen. */
export interface ServerOptions extends SocketOptions {
  /** A name or an address; `''`, any address of this machine, unless told. */
  host?: string | undefined;
  /** 0 to 65535; 0, a free port of the kernel's choice, unless told. */
  port?: number | undefined;
  /** `inet` or `inet6`; that of `host` unless told, `inet` for `''`, `inet6` with `dualStack`. */
  family?: IpFamily | undefined;
  /** Connections that may wait to be accepted; the system's maximum unless told. */
  backlog?: number | undefined;
  /** Share the port with other sockets that have this too: the kernel spreads connections. */
  reusePort?: boolean | undefined;
  /** Take IPv4 connections too, whose addresses are mapped (`::ffff:192.0.2.1`). Without it IPv6 is alone. */
  dualStack?: boolean | undefined;
  /** Listen although connections of an earlier server linger; true unless told. */
  reuseAddress?: boolean | undefined;
  /** SOCK_STREAM unless told. */
  type?: number | undefined;
  /** IPPROTO_MPTCP, for example; the type's own unless told. */
  protocol?: number | undefined;
  /** Called with the socket before it is bound: the place for options. */
  prepare?: ((socket: IpSocket) => void) | undefined;
}

interface Plan extends Kind {
  host: string;
  port: number;
  /** AF_ number, 0 where the host says it. */
  family: number;
  backlog: number | undefined;
  reusePort: boolean;
  dualStack: boolean;
  reuseAddress: boolean;
  prepare: ((socket: IpSocket) => void) | undefined;
}

const INT_MAX = 0x7fffffff;

function familyOf(host: string, asked: number, dualStack: boolean): number {
  if (dualStack) {
    if (asked === AF_INET) throw outOfRange('options.family', 'inet6, as options.dualStack needs it', 'inet');
    if (isIPv4(host)) throw outOfRange('options.host', 'an IPv6 address, as options.dualStack needs it', host);
    return AF_INET6;
  }
  if (asked !== 0) return asked;
  if (host === '' || isIPv4(host)) return AF_INET;
  return isIPv6(host) ? AF_INET6 : 0;
}

function plan(options: ServerOptions): Plan {
  const { host = '', port = 0, backlog, type = SOCK_STREAM, protocol = 0 } = checkObject('options', options);
  const dualStack = checkBoolean('options.dualStack', options.dualStack ?? false);
  const asked = checkIpFamily(options.family);
  return {
    host: checkString('options.host', host),
    port: checkInteger('options.port', port, 0, 0xffff),
    family: familyOf(host, asked, dualStack),
    backlog: backlog === undefined ? undefined : checkInteger('options.backlog', backlog, -0x80000000, INT_MAX),
    reusePort: checkBoolean('options.reusePort', options.reusePort ?? false),
    dualStack,
    reuseAddress: checkBoolean('options.reuseAddress', options.reuseAddress ?? true),
    type: checkInteger('options.type', type, 0, INT_MAX),
    protocol: checkInteger('options.protocol', protocol, 0, INT_MAX),
    namespace: checkNamespace(options.namespace),
    prepare: checkPrepare(options.prepare),
  };
}

const hints = (family: number) => ({ family, type: SOCK_STREAM, flags: AI_PASSIVE });

// an address needs no look-up, and `''` is for bind to understand
const isName = ({ host }: Plan): boolean => host !== '' && !isIPv4(host) && !isIPv6(host);

function listen(what: Plan, found: AddressInfo | undefined): IpSocket {
  const { host, port, family, dualStack } = what;
  const domain = found?.family ?? family;
  const socket = openSocket(domain, what);
  try {
    if (what.reuseAddress) socket.setOption(soReuseAddr, true);
    if (what.reusePort) socket.setOption(soReusePort, true);
    if (domain === AF_INET6) socket.setOption(ipv6V6Only, !dualStack);
    what.prepare?.(socket);
    socket.tryBind(found === undefined ? { host, port } : { ...found.address, port });
    socket.listen(what.backlog);
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

/**
 * Listens for connections. `for await (const { socket, address } of server.connections())` accepts
 * them; closing the socket, or `await using`, ends it.
 * @throws SocketError `EADDRINUSE`, `EADDRNOTAVAIL`, `EACCES`; AddressInfoError for the name
 */
export async function createServer(options: ServerOptions = {}): Promise<IpSocket> {
  const what = plan(options);
  if (!isName(what)) return listen(what, undefined);
  const [first] = await getaddrinfo(what.host, null, hints(what.family));
  return listen(what, first);
}

/** As `createServer`, resolving names on this thread. */
export function createServerSync(options: ServerOptions = {}): IpSocket {
  const what = plan(options);
  if (!isName(what)) return listen(what, undefined);
  const [first] = getaddrinfoSync(what.host, null, hints(what.family));
  return listen(what, first);
}

/** Whether this machine has IPv6 at all. */
export function hasIPv6(): boolean {
  return probeIPv6(() => {});
}

/** Whether an IPv6 socket can take IPv4 connections too. */
export function hasDualstackIPv6(): boolean {
  return probeIPv6((socket) => socket.setOption(ipv6V6Only, false));
}

function probeIPv6(look: (socket: IpSocket) => void): boolean {
  let socket: IpSocket | undefined;
  try {
    socket = openSocket(AF_INET6, { type: SOCK_STREAM, protocol: 0 });
    look(socket);
    return true;
  } catch {
    return false;
  } finally {
    socket?.close();
  }
}
