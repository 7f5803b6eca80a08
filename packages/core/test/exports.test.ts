import { readFileSync } from 'node:fs';
import * as core from '@sock/core';
import * as netdb from '@sock/core/netdb';
import { expect } from 'chai';

/** What @sock/core exports besides constants, type names aside. */
const CORE = [
  'Ancillary AddressInfoError BinarySocketFile CMSG_LEN CMSG_SPACE Deadline EXTENDED_ERROR_SIZE EncodedAddress LONG_SIZE HostError MessageBatch Socket SocketDuplex',
  'SocketError SocketFile SocketHandle SocketTimeoutError TextSocketFile UnknownAddress',
  'ancillaryMessage booleanOption checkBigInt checkBoolean checkInteger checkInterfaceName checkMembers checkObject',
  'checkOneOf checkString clauseOf close createNetworkNamespace unpackFilter dup encodeAncillary packFilter errnoName errnoOf getDefaultTimeout',
  'if_indextoname if_nameindex if_nametoindex',
  'intBytes integerOption interfaceIndex invalidArgumentType ioctl knownAs mapDescriptor outOfRange poll pollSync',
  'readI32 readI64 readText readU16 readU16BE readU32 readU32BE readU64 readonlyIntegerOption',
  'scmMark scmRights scmRxqOvfl scmTimestamp scmTimestampNs scmTimestamping scmTxTime setDefaultTimeout setting setUp',
  'sioKeepAliveVals',
  'sioLoopbackFastPath sioRcvAll',
  'soAcceptConn soAttachBpf soAttachFilter soAttachReusePortCbpf soBindToDevice soBindToIfIndex soBroadcast soBufLock',
  'soBusyPoll soBusyPollBudget soCookie soDebug soDetachFilter soDomain soDontRoute soError soIncomingCpu',
  'soIncomingNapiId soKeepAlive soLinger soLockFilter soMark soMaxPacingRate soMemInfo soNetnsCookie soNoCheck',
  'soOobInline soPeekOff soPreferBusyPoll soPriority soProtocol soRcvBuf soRcvBufForce soRcvLowat soRcvTimeo',
  'soReserveMem soReuseAddr soReusePort soRxqOvfl soSelectErrQueue soSndBuf soSndBufForce soSndLowat soSndTimeo',
  'soTimestamp soTimestampNs soTimestamping soTxRehash soTxTime soType soWifiStatus soZeroCopy socketError',
  'stringOption timevalOption toBytes toTarget tryPoll uint32Option uint64Option untilClosed',
  'uint32Message unpackExtendedError withMessage writeI32 writeI64 writeU16 writeU16BE writeU32 writeU32BE writeU64',
].flatMap((line) => line.split(' '));

const NETDB = [
  'getaddrinfo getaddrinfoSync gethostbyaddr gethostbyaddrSync gethostbyname gethostbynameSync gethostname',
  'getnameinfo getnameinfoSync getprotobyname getservbyname getservbyport sethostname',
].flatMap((line) => line.split(' '));

/** The constants that constants.json asks for. */
const CONSTANTS = new Set(
  (
    JSON.parse(readFileSync('constants.json', 'utf8')) as { groups: { constants: Record<string, string> }[] }
  ).groups.flatMap(({ constants }) => Object.keys(constants)),
);

describe('what @sock/core exports', () => {
  const names = Object.keys(core);

  it('is this list, and the constants', () => {
    const others = names.filter((name) => !CONSTANTS.has(name));
    expect(others.sort()).to.deep.equal([...CORE].sort());
    expect(Object.keys(netdb).sort()).to.deep.equal([...NETDB].sort());
  });

  it('has every constant that constants.json names, as a number where the platform has it', () => {
    expect(CONSTANTS.size).to.be.greaterThan(150);
    for (const name of CONSTANTS) {
      expect(names).to.include(name);
      const value: unknown = Reflect.get(core, name);
      expect(value === undefined || Number.isInteger(value), `${name} is ${String(value)}`).to.equal(true);
    }
  });

  it('has the constants of Python, with the same values', () => {
    const table = readFileSync('../../tools/constants/python-socket.json', 'utf8');
    const values = (JSON.parse(table) as { constants: Record<string, number> }).constants;
    let compared = 0;
    for (const [name, value] of Object.entries(values)) {
      if (!CONSTANTS.has(name)) continue;
      const ours: unknown = Reflect.get(core, name);
      expect(ours, name).to.equal(value);
      compared++;
    }
    expect(compared).to.be.greaterThan(80);
  });

  it('every operation has its three forms', () => {
    const methods = new Set(Object.getOwnPropertyNames(core.Socket.prototype));
    const operations = [
      'bind connect connectEx accept recv recvInto recvFrom recvFromInto recvMsg recvMsgInto recvBatch',
      'send sendTo sendMsg sendFile sendBatch waitReadable waitWritable',
    ].flatMap((line) => line.split(' '));
    for (const name of operations) {
      const capital = `${name[0]?.toUpperCase()}${name.slice(1)}`;
      for (const form of [name, `${name}Sync`, `try${capital}`]) expect(methods, form).to.include(form);
    }
    expect([methods.has('sendAll'), methods.has('sendAllSync'), methods.has('trySendAll')]).to.deep.equal([
      true,
      true,
      false,
    ]);
  });

  it('can be required, as every package can', async () => {
    const { createRequire } = await import('node:module');
    expect(createRequire(import.meta.url)('@sock/core').Socket).to.equal(core.Socket);
  });
});
