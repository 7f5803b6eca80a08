export { type PacketAddress, type PacketInput, packet } from './address.js';
export {
  type PacketAuxdata,
  scmPacketAuxdata,
  scmPacketTxTimestamp,
} from './ancillary.js';
export type { PacketBlock, ReceivedPacket } from './block.js';
export {
  type CapturedPacket,
  CaptureError,
  type CaptureRecord,
  type CaptureSink,
  linkTypeOf,
} from './capture.js';
export { parseCapture, readCapture } from './capture-reader.js';
export * from './constants.gen.js';
export { cookedPacket } from './cooked.js';
export { checkFilter, type FilterProgram } from './filter.js';
export { formatHardwareAddress, parseHardwareAddress } from './hardware-address.js';
export * from './options.js';
export { type PcapOptions, PcapWriter } from './pcap.js';
export { type PcapngInterface, type PcapngRecord, type PcapngStatistics, PcapngWriter } from './pcapng.js';
export type { PacketRing, RingOptions } from './ring.js';
export { packetRxRing, packetTxRing, type RingRequest } from './ring-request.js';
export { PacketSocket, type PacketSocketOptions } from './socket.js';
export type { ChecksumStatus, VlanTag } from './structures.js';
export type { PacketTransmitRing, TransmitRingOptions } from './transmit-ring.js';
export { packVirtioHeader, unpackVirtioHeader, type VirtioHeader } from './virtio.js';
