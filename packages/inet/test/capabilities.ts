import { type AddressFamily, SOCK_DGRAM, SOCK_RAW, SOCK_STREAM, Socket, type SocketOption } from '@sock/core';
import { IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_MPTCP, IPPROTO_RAW, IPPROTO_UDPLITE, inet, inet6 } from '@sock/inet';
import { type Capability, capability, probe } from '@sock/testkit';

function opens<A, I>(family: AddressFamily<A, I>, type: number, protocol = 0): void {
  new Socket(family, type, protocol).close();
}

/** Multipath TCP sockets. */
export const mptcp = capability({
  name: 'IPPROTO_MPTCP',
  remedy: 'use a kernel with CONFIG_MPTCP, and sysctl -w net.mptcp.enabled=1',
  probe: () => opens(inet, SOCK_STREAM, IPPROTO_MPTCP),
});

/** UDP-Lite sockets. */
export const udpLite = capability({
  name: 'IPPROTO_UDPLITE',
  remedy: 'use a kernel that still has UDP-Lite',
  probe: () => opens(inet, SOCK_DGRAM, IPPROTO_UDPLITE),
});

/** SCTP sockets. */
export const sctp = probe('IPPROTO_SCTP');

/** Raw sockets. */
export const raw = capability({
  name: 'SOCK_RAW',
  remedy: 'run with CAP_NET_RAW',
  probe: () => opens(inet, SOCK_RAW, IPPROTO_RAW),
});

/** Raw sockets of IPv6. */
export const raw6 = capability({
  name: 'SOCK_RAW of AF_INET6',
  remedy: 'run with CAP_NET_RAW, and a kernel with IPv6',
  probe: () => opens(inet6, SOCK_RAW, IPPROTO_ICMPV6),
});

/** Ping sockets. */
export const ping = capability({
  name: 'ping sockets',
  remedy: 'sysctl -w net.ipv4.ping_group_range="0 2147483647"',
  probe: () => opens(inet, SOCK_DGRAM, IPPROTO_ICMP),
});

/** An option of a kernel that may be older than the option. */
export function optionOf(
  option: Pick<SocketOption<unknown, never>, 'label' | 'decode'>,
  since: string,
  open: () => Disposable & Pick<Socket, 'getOption'>,
): Capability {
  return capability({
    name: option.label,
    since,
    remedy: `use Linux ${since} or newer`,
    probe() {
      using socket = open();
      socket.getOption(option as SocketOption<unknown, never>);
    },
  });
}
