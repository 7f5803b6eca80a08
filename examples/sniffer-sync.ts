// sniffer.ts, blocking: the network sniffer of Python's documentation, for Linux. Its original needs Windows: a raw IP
// socket there receives all that passes (SIO_RCVALL). Here a packet socket does.
//
//     node dist/sniffer-sync.js [interface]     # lo unless told; needs CAP_NET_RAW
import { SOCK_DGRAM } from '@sock/core';
import { ETH_P_IP, PACKET_MR_PROMISC, PacketSocket, packetAddMembership, packetDropMembership } from '@sock/packet';

// the interface that is listened on, rather than the address of one
const [, , where = 'lo'] = process.argv;

// a socket whose packets begin with their IP headers: without those of the link layer
using socket = new PacketSocket({ type: SOCK_DGRAM, protocol: ETH_P_IP });
socket.bindSync({ interface: where });

// receive all packets, not only those for this machine
const promiscuous = { interface: where, type: PACKET_MR_PROMISC };
socket.setOption(packetAddMembership, promiscuous);

// receive a packet
console.log(socket.recvFromSync(65_565));

// promiscuous mode off, as closing the socket would do
socket.setOption(packetDropMembership, promiscuous);
