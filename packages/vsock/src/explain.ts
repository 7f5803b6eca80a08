import { clauseOf, type FailedCall } from '@sock/core';

const NO_TRANSPORT =
  'no transport reaches that machine: CID 1 needs the module vsock_loopback, the host (CID 2) a guest with ' +
  'vmw_vsock_virtio_transport or hv_sock, a guest the module vhost_vsock on its host';

const NO_TYPE =
  'AF_VSOCK has SOCK_STREAM and SOCK_SEQPACKET; SOCK_DGRAM needs a transport that has it, VMware’s (vmw_vsock_vmci_transport)';

const TOO_LONG = "the message is longer than the receiver's buffer (SO_VM_SOCKETS_BUFFER_SIZE)";

const CLAUSES: Readonly<Record<string, string>> = {
  'socket EAFNOSUPPORT': 'this kernel has no AF_VSOCK; load the module vsock_loopback (modprobe vsock_loopback)',
  'socket ENODEV': NO_TYPE,
  'socket ESOCKTNOSUPPORT': NO_TYPE,
  'socket EPROTONOSUPPORT': 'AF_VSOCK has protocol 0 only',
  'bind EADDRNOTAVAIL':
    'that is no CID of this machine: CID 1 needs the module vsock_loopback (modprobe vsock_loopback), getLocalCid tells another, VMADDR_CID_ANY is all of them',
  'bind EACCES': 'ports below 1024 need CAP_NET_BIND_SERVICE',
  'connect ENODEV': NO_TRANSPORT,
  'connect ENETUNREACH': NO_TRANSPORT,
  'connect ESOCKTNOSUPPORT': 'the transport to that machine does not have this type of socket',
  'connect ECONNRESET': 'nobody listens on that port, or no longer',
  'connect ECONNREFUSED': 'nobody listens on that port',
  'connect ETIMEDOUT': 'the machine did not answer within SO_VM_SOCKETS_CONNECT_TIMEOUT',
  'send ENOBUFS':
    'the receiver had room for a part of the message, which the kernel has sent: the connection is ended. Let the receiver answer before there is too much, give it a larger SO_VM_SOCKETS_BUFFER_SIZE, or use SOCK_STREAM',
  'send EMSGSIZE': TOO_LONG,
  // what older kernels make of it
  'send ENOMEM': TOO_LONG,
  'connect EPERM': 'this needs more privileges: the port, or the transport, is reserved',
};

/** The remedy for a failed call on an AF_VSOCK socket, where there is one to name. */
export const explain = (failure: FailedCall): string | undefined => clauseOf(failure, CLAUSES);
