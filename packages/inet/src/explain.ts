import { type FailedCall, SOCK_DGRAM, SOCK_RAW, SOCK_STREAM } from '@sock/core';
import {
  IPPROTO_DCCP,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_MPTCP,
  IPPROTO_SCTP,
  IPPROTO_UDPLITE,
} from './constants.gen.js';

const PING_GROUPS =
  'ping sockets are for the groups in net.ipv4.ping_group_range ' +
  '(sysctl -w net.ipv4.ping_group_range="0 2147483647")';
const LOW_PORT =
  'ports below net.ipv4.ip_unprivileged_port_start need CAP_NET_BIND_SERVICE ' +
  '(setcap cap_net_bind_service+ep $(which node))';
const NO_RAW = 'raw sockets need CAP_NET_RAW (setcap cap_net_raw+ep $(which node), or run as root)';

function denied({ type, protocol }: FailedCall): string | undefined {
  if (type === SOCK_RAW) return NO_RAW;
  if (type === SOCK_DGRAM && (protocol === IPPROTO_ICMP || protocol === IPPROTO_ICMPV6)) {
    return PING_GROUPS;
  }
  return undefined;
}

function unsupported({ code, type, protocol }: FailedCall): string | undefined {
  switch (protocol) {
    case IPPROTO_SCTP:
      return 'this kernel has no SCTP; load the module sctp (modprobe sctp)';
    case IPPROTO_DCCP:
      return 'this kernel has no DCCP; load the module dccp_ipv4 or dccp_ipv6 (modprobe dccp_ipv4)';
    case IPPROTO_UDPLITE:
      return 'this kernel has no UDP-Lite';
    case IPPROTO_MPTCP:
      return code === 'ENOPROTOOPT'
        ? 'Multipath TCP is turned off (sysctl -w net.mptcp.enabled=1)'
        : 'this kernel has no Multipath TCP (CONFIG_MPTCP)';
    default:
      return `this kernel has no protocol ${protocol} for sockets of type ${type}`;
  }
}

// what the kernel says of extensions of SCTP that are turned off, or that the peer lacks
function refusedBySctp(code: string): string | undefined {
  switch (code) {
    case 'EACCES':
      return 'authentication is turned off (sctpAuthSupported, sysctl -w net.sctp.auth_enable=1)';
    case 'EPERM':
      return 'reconfiguration of addresses is turned off (sysctl -w net.sctp.addip_enable=1), or the peer lacks it';
    case 'ENOPROTOOPT':
      return 'this kernel lacks it, or the extension was not agreed on when the association began';
    default:
      return undefined;
  }
}

/** The remedy for a failed call on an internet socket, where there is one to name. */
export function explain(failure: FailedCall): string | undefined {
  const { syscall, code } = failure;
  if (syscall === 'socket') {
    switch (code) {
      case 'EPERM':
      case 'EACCES':
        return denied(failure);
      case 'EPROTONOSUPPORT':
      case 'ESOCKTNOSUPPORT':
      case 'ENOPROTOOPT':
        return unsupported(failure);
      default:
        return undefined;
    }
  }
  if (syscall === 'setsockopt' && failure.protocol === IPPROTO_SCTP) return refusedBySctp(code);
  if (syscall === 'setsockopt' && code === 'EPERM')
    return 'this option needs CAP_NET_ADMIN, for some CAP_NET_RAW is enough';
  if (code === 'EBADRQC') return 'who listens there has none of the services asked for (dccpService)';
  if (code !== 'EACCES') return undefined;
  if (syscall === 'bind') {
    return LOW_PORT;
  }
  // what a stream socket is denied, a security module denies
  if (failure.type === SOCK_STREAM || !/^(connect|send)/.test(syscall)) return undefined;
  return 'sending to a broadcast address needs the option SO_BROADCAST';
}

/** As `explain`, where the family itself may be missing. */
export function explainIPv6(failure: FailedCall): string | undefined {
  if (failure.syscall === 'socket' && failure.code === 'EAFNOSUPPORT') {
    return 'this kernel has no IPv6; load the module ipv6 (modprobe ipv6), or boot without ipv6.disable=1';
  }
  return explain(failure);
}
