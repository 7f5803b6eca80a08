import { AF_INET6, if_nametoindex, SOCK_DGRAM, SOCK_RAW, SOCK_STREAM, Socket } from '@sock/core';
import {
  createConnection,
  createServer,
  IPPROTO_ICMP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPPROTO_UDPLITE,
  type IpSocket,
  inet,
  inet6,
} from '@sock/inet';

/** One fresh socket of each kind. */
export const open = {
  tcp4: () => new Socket(inet, SOCK_STREAM),
  tcp6: () => new Socket(inet6, SOCK_STREAM),
  udp4: () => new Socket(inet, SOCK_DGRAM),
  udp6: () => new Socket(inet6, SOCK_DGRAM),
  udpLite: () => new Socket(inet, SOCK_DGRAM, IPPROTO_UDPLITE),
  raw4: () => new Socket(inet, SOCK_RAW, IPPROTO_ICMP),
  raw6: () => new Socket(inet6, SOCK_RAW, IPPROTO_UDP),
};

/** A TCP connection on the loopback. */
export async function connection(host = '127.0.0.1', prepare?: (socket: IpSocket) => void, protocol = 0) {
  const server = await createServer({ host, prepare, protocol });
  const client = await createConnection({ host, port: server.getsockname().port, protocol });
  const { socket: accepted } = await server.accept();
  return {
    server,
    client,
    accepted,
    async [Symbol.asyncDispose]() {
      for (const socket of [client, accepted, server]) socket.close();
    },
  };
}

/** What a codec is told of a TCP socket over IPv6. */
export const info6 = {
  domain: AF_INET6,
  type: SOCK_STREAM,
  protocol: IPPROTO_TCP,
  interfaceIndex: if_nametoindex,
  interfaceName: () => undefined,
};
