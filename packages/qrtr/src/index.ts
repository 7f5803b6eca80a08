export { type QrtrAddress, type QrtrInput, qrtr } from './address.js';
export * from './constants.gen.js';
export {
  packControlPacket,
  type QrtrClientPacket,
  type QrtrControlInput,
  type QrtrControlPacket,
  type QrtrPlainPacket,
  type QrtrServerPacket,
  unpackControlPacket,
} from './control.js';
export {
  findServices,
  type QrtrControl,
  type QrtrData,
  type QrtrLookup,
  type QrtrPacket,
  type QrtrServer,
  type QrtrService,
  type QrtrServiceEvent,
  QrtrSocket,
  type RecvPacketOptions,
  watchServices,
} from './socket.js';
