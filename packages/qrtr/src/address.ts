import {
  type AddressFamily,
  AF_QIPCRTR,
  checkInteger,
  checkMembers,
  outOfRange,
  readU32,
  SOCK_DGRAM,
  writeU32,
} from '@sock/core';
import { QRTR_NODE_BCAST, QRTR_PORT_CTRL } from './constants.gen.js';
import { explain } from './explain.js';

/** A socket of a node. */
export interface QrtrAddress {
  /** Node; `node` of a `QrtrSocket` is this machine's, QRTR_NODE_BCAST all. */
  readonly node: number;
  /**
   * Port; QRTR_PORT_CTRL is the node's name service. In `bind`, 0 is a free port of the kernel's choice,
   * and one below 0x4000 needs CAP_NET_ADMIN.
   */
  readonly port: number;
}

// offsets in a struct sockaddr_qrtr; source: linux/qrtr.h
const NODE = 4;
const PORT = 8;
const SIZE = 12;

const MEMBERS = ['node', 'port'];

/** What is accepted as an address. */
export type QrtrInput = QrtrAddress;

/**
 * AF_QIPCRTR: messages between the processors of a Qualcomm system, and the services on them. The only
 * type is SOCK_DGRAM. Source: linux/qrtr.h, kernel, net/qrtr.
 */
export const qrtr: AddressFamily<QrtrAddress, QrtrInput> = {
  name: 'qrtr',
  domain: AF_QIPCRTR,
  type: SOCK_DGRAM,

  encode(input, into) {
    const { node, port } = checkMembers('address', input, MEMBERS);
    writeU32(into, checkInteger('address.node', node, 0, 0xffffffff), NODE);
    writeU32(into, checkInteger('address.port', port, 0, 0xffffffff), PORT);
    return SIZE;
  },

  decode(sockaddr) {
    if (sockaddr.length < SIZE) throw outOfRange('sockaddr', `${SIZE} bytes`, sockaddr.length);
    return { node: readU32(sockaddr, NODE), port: readU32(sockaddr, PORT) };
  },

  format({ node, port }) {
    const where = node === QRTR_NODE_BCAST ? 'all nodes' : `node ${node}`;
    return `${where} ${port === QRTR_PORT_CTRL ? 'name service' : `port ${port}`}`;
  },

  explain,
};
