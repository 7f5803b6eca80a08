import { clauseOf, type FailedCall } from '@sock/core';
import * as c from './constants.gen.js';

const load = (name: string, module: string): string => `${name}; load the module ${module} (modprobe ${module})`;

/** What is missing, and the remedy, by protocol. */
const MISSING: Readonly<Record<number, string>> = {
  [c.NETLINK_SOCK_DIAG]:
    'NETLINK_SOCK_DIAG; use a kernel with CONFIG_SOCK_DIAG, or load the module sock_diag (modprobe sock_diag)',
  [c.NETLINK_XFRM]: load('NETLINK_XFRM', 'xfrm_user'),
  [c.NETLINK_SELINUX]: 'NETLINK_SELINUX; use a kernel with CONFIG_SECURITY_SELINUX',
  [c.NETLINK_ISCSI]: load('NETLINK_ISCSI', 'scsi_transport_iscsi'),
  [c.NETLINK_AUDIT]: 'NETLINK_AUDIT; use a kernel with CONFIG_AUDIT',
  [c.NETLINK_CONNECTOR]: load('NETLINK_CONNECTOR', 'cn'),
  [c.NETLINK_NETFILTER]: load('NETLINK_NETFILTER', 'nfnetlink'),
  [c.NETLINK_SCSITRANSPORT]: load('NETLINK_SCSITRANSPORT', 'scsi_transport_fc'),
  [c.NETLINK_RDMA]: load('NETLINK_RDMA', 'ib_core'),
  [c.NETLINK_CRYPTO]: load('NETLINK_CRYPTO', 'crypto_user'),
  [c.NETLINK_SMC]: load('NETLINK_SMC', 'smc_diag'),
};

/** The clauses by call and code. */
const CLAUSES: Readonly<Record<string, string>> = {
  'socket ESOCKTNOSUPPORT': 'netlink has SOCK_RAW and SOCK_DGRAM, which are the same',
  'bind EADDRINUSE': 'another socket of this protocol has that pid; give 0 to let the kernel choose',
  'bind EINVAL': 'the socket has another pid already',
  'bind EPERM': 'the multicast groups of this protocol need CAP_NET_ADMIN',
  'connect EPERM': 'sending to other programs or to groups needs CAP_NET_ADMIN',
  'setsockopt EPERM': 'this group needs CAP_NET_ADMIN (setcap cap_net_admin+ep $(which node), or run as root)',
  'setsockopt EINVAL': 'this protocol has no group of that number',
  'send EPERM': 'sending to other programs or to groups needs CAP_NET_ADMIN',
  'send ECONNREFUSED':
    'no socket of this protocol has that pid (0 is the kernel, where what is sent to groups goes too)',
  'send EMSGSIZE': 'the message is longer than the send buffer (SO_SNDBUF) allows',
  'send ENODATA': 'netlink has no messages without bytes',
  'send ENOBUFS': 'the message is too long, or memory is short',
  'recv ENOBUFS':
    'the receive buffer was full and messages were lost: get the state anew, then go on receiving ' +
    '(a larger SO_RCVBUF makes it rare)',
};

/** The remedy for a failed call on a netlink socket, where there is one to name. */
export function explain(failure: FailedCall): string | undefined {
  const { syscall, code, protocol } = failure;
  if (syscall === 'socket' && code === 'EPROTONOSUPPORT') {
    return `this kernel has no ${MISSING[protocol] ?? `netlink protocol ${protocol}`}`;
  }
  return clauseOf(failure, CLAUSES);
}
