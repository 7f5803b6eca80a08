import type { Socket as NetSocket } from 'node:net';
import {
  type Accepted,
  type AddressFamily,
  Ancillary,
  type AncillaryCodec,
  type AncillaryItem,
  type AncillaryMessage,
  type AnyAddress,
  ancillaryMessage,
  booleanOption,
  type Data,
  type DgramSocketLike,
  type EncodedAddress,
  type FailedCall,
  type FamilyChoice,
  type FlagOptions,
  integerOption,
  MessageBatch,
  type MessageBatchOptions,
  type NetSocketLike,
  type NetworkInterface,
  type OptionKey,
  type PollResult,
  poll,
  pollSync,
  type ReadonlyOption,
  type Received,
  type ReceivedInto,
  type ReceivedMessage,
  type ReceivedMessageInto,
  type ReceiveOnlyMessage,
  type RequestOption,
  type SendBatchOptions,
  type SendFileOptions,
  type SendFileRange,
  type SendMsgOptions,
  Socket,
  type SocketErrorDetails,
  type SocketInfo,
  type SocketOption,
  scmRights,
  scmTimestamping,
  soError,
  soLinger,
  soMaxPacingRate,
  soMemInfo,
  soReuseAddr,
  soTimestampNs,
  soType,
  type Timestamping,
  type TransferOptions,
  type TransmitTime,
  tryPoll,
  type UnknownAddress,
  type WaitOptions,
} from '@sock/core';
import { expectTypeOf } from 'expect-type';

// Nothing here runs but the assertions on types, which the compiler makes: a wrong one does not build.

/** A family whose inputs are more than its addresses. */
interface Place {
  readonly host: string;
  readonly port: number;
}
type PlaceInput = Partial<Place> | string;
declare const places: AddressFamily<Place, PlaceInput>;
type PlaceSocket = Socket<Place, PlaceInput>;

/** A class of a family's own. */
declare class Special extends Socket<Place, PlaceInput> {
  special(): void;
}

describe('declarations', () => {
  it('a socket is typed by its family', () => {
    const make = (): PlaceSocket => new Socket(places);
    expectTypeOf(make).returns.toEqualTypeOf<Socket<Place, PlaceInput>>();
    expectTypeOf<PlaceSocket['getsockname']>().returns.toEqualTypeOf<Place>();
    expectTypeOf<PlaceSocket['getpeername']>().returns.toEqualTypeOf<Place>();
    expectTypeOf<PlaceSocket['family']>().toEqualTypeOf<AddressFamily<Place, PlaceInput>>();
    expectTypeOf<PlaceSocket['bind']>().parameter(0).toEqualTypeOf<AnyAddress<PlaceInput>>();
    expectTypeOf<AnyAddress<PlaceInput>>().toEqualTypeOf<PlaceInput | EncodedAddress | UnknownAddress>();
    expectTypeOf<PlaceSocket['timeout']>().toEqualTypeOf<number | null>();
    expectTypeOf<PlaceSocket>().toExtend<Disposable>();
    expectTypeOf<PlaceSocket>().toExtend<AsyncDisposable>();
    expectTypeOf<PlaceSocket>().toExtend<SocketInfo>();
  });

  it('what is received', () => {
    expectTypeOf<PlaceSocket['recv']>().returns.resolves.toEqualTypeOf<Buffer>();
    expectTypeOf<PlaceSocket['recvSync']>().returns.toEqualTypeOf<Buffer>();
    expectTypeOf<PlaceSocket['tryRecv']>().returns.toEqualTypeOf<Buffer | null>();
    expectTypeOf<PlaceSocket['recvInto']>().returns.resolves.toBeNumber();
    expectTypeOf<PlaceSocket['recvFrom']>().returns.resolves.toEqualTypeOf<Received<Place>>();
    expectTypeOf<PlaceSocket['tryRecvFrom']>().returns.toEqualTypeOf<Received<Place> | null>();
    expectTypeOf<PlaceSocket['recvFromInto']>().returns.resolves.toEqualTypeOf<ReceivedInto<Place>>();
    expectTypeOf<PlaceSocket['recvMsg']>().returns.resolves.toEqualTypeOf<ReceivedMessage<Place>>();
    expectTypeOf<PlaceSocket['recvMsgIntoSync']>().returns.toEqualTypeOf<ReceivedMessageInto<Place>>();
    expectTypeOf<Received<Place>>().toEqualTypeOf<{ data: Buffer; address: Place | null }>();
    expectTypeOf<ReceivedMessage<Place>['ancillary']>().toEqualTypeOf<Ancillary>();
    expectTypeOf<PlaceSocket['recv']>().parameter(1).toEqualTypeOf<TransferOptions | undefined>();
    expectTypeOf<PlaceSocket['tryRecv']>().parameter(1).toEqualTypeOf<FlagOptions | undefined>();
    expectTypeOf<TransferOptions>().toExtend<WaitOptions>();
  });

  it('what is sent', () => {
    expectTypeOf<Data>().toEqualTypeOf<string | ArrayBufferView | ArrayBuffer | SharedArrayBuffer>();
    expectTypeOf<PlaceSocket['send']>().parameter(0).toEqualTypeOf<Data>();
    expectTypeOf<PlaceSocket['send']>().returns.resolves.toBeNumber();
    expectTypeOf<PlaceSocket['trySend']>().returns.toEqualTypeOf<number | null>();
    expectTypeOf<PlaceSocket['sendAll']>().returns.resolves.toBeVoid();
    expectTypeOf<PlaceSocket['sendTo']>().parameter(1).toEqualTypeOf<AnyAddress<PlaceInput>>();
    expectTypeOf<SendMsgOptions<PlaceInput>['address']>().toEqualTypeOf<AnyAddress<PlaceInput> | null | undefined>();
    expectTypeOf<SendMsgOptions<PlaceInput>['ancillary']>().toEqualTypeOf<Iterable<AncillaryItem> | undefined>();
    expectTypeOf<SendFileOptions>().toExtend<SendFileRange>();
    expectTypeOf<SendBatchOptions>().toExtend<{ first?: number | undefined }>();
    // @ts-expect-error an address of another shape
    expectTypeOf<PlaceSocket['sendTo']>().toBeCallableWith('x', 7);
    // @ts-expect-error a number is no data
    expectTypeOf<PlaceSocket['send']>().toBeCallableWith(7);
  });

  it('accepted, duplicated and adopted sockets', () => {
    expectTypeOf<ReturnType<PlaceSocket['tryConnect']>>().toEqualTypeOf<true | null>();
    expectTypeOf<PlaceSocket['connectEx']>().returns.resolves.toBeNumber();
    const accept = (s: PlaceSocket) => s.acceptSync();
    expectTypeOf(accept).returns.toEqualTypeOf<Accepted<PlaceSocket, Place>>();
    const acceptSpecial = (s: Special) => s.acceptSync().socket;
    expectTypeOf(acceptSpecial).returns.toEqualTypeOf<Special>();
    const duplicate = (s: Special) => s.dup();
    expectTypeOf(duplicate).returns.toEqualTypeOf<Special>();
    const adopt = () => Socket.adopt(3, places);
    expectTypeOf(adopt).returns.toEqualTypeOf<PlaceSocket>();
    const choose = () => Socket.adopt(3, ({ domain }) => (domain === 2 ? places : places));
    expectTypeOf(choose).returns.toEqualTypeOf<PlaceSocket>();
    const special = () => [Special.adopt(3, places), Special.duplicate(3), Special.pair(places)[0]];
    expectTypeOf(special).returns.toEqualTypeOf<Special[]>();
    // @ts-expect-error a family that sockets of this class cannot have
    expectTypeOf(() => Special.adopt(3, { ...places, decode: () => 7 })).toBeFunction();
    const unknown = () => Socket.adopt(3);
    expectTypeOf(unknown).returns.toEqualTypeOf<Socket<UnknownAddress>>();
    const both = () => Socket.pair(places);
    expectTypeOf(both).returns.toEqualTypeOf<[PlaceSocket, PlaceSocket]>();
    expectTypeOf<FamilyChoice<Place, PlaceInput>>().toExtend<unknown>();
    expectTypeOf<Parameters<typeof Socket.borrow>[0]>().toEqualTypeOf<NetSocketLike | DgramSocketLike>();
    expectTypeOf<NetSocket>().toExtend<NetSocketLike>();
    expectTypeOf<import('node:net').Server>().toExtend<NetSocketLike>();
    expectTypeOf<import('node:tls').TLSSocket>().toExtend<NetSocketLike>();
    expectTypeOf<import('node:dgram').Socket>().toExtend<DgramSocketLike>();
    expectTypeOf<PlaceSocket['toNetSocket']>().returns.toEqualTypeOf<NetSocket>();
  });

  it('iterators and streams', () => {
    expectTypeOf<PlaceSocket['chunks']>().returns.toEqualTypeOf<AsyncIterableIterator<Buffer>>();
    expectTypeOf<PlaceSocket['messages']>().returns.toEqualTypeOf<AsyncIterableIterator<Received<Place>>>();
    const connections = (s: Special) => s.connections();
    expectTypeOf(connections).returns.toEqualTypeOf<AsyncIterableIterator<Accepted<Special, Place>>>();
    expectTypeOf<PlaceSocket['readable']>().toEqualTypeOf<ReadableStream<Uint8Array>>();
    expectTypeOf<PlaceSocket['writable']>().toEqualTypeOf<WritableStream<Data>>();
    expectTypeOf<PlaceSocket['duplex']>().returns.toExtend<import('node:stream').Duplex>();
    expectTypeOf<PlaceSocket['duplex']>().returns.toExtend<NodeJS.ReadWriteStream>();
  });

  it('options', () => {
    const get = (s: PlaceSocket) =>
      [
        s.getOption(soReuseAddr),
        s.getOption(soLinger),
        s.getOption(soMaxPacingRate),
        s.getOption(soType),
        s.getOption(soError),
        s.getOption(soMemInfo).drops,
      ] as const;
    expectTypeOf(get).returns.toEqualTypeOf<readonly [boolean, number | null, bigint, number, string | null, number]>();
    const set = (s: PlaceSocket) => {
      s.setOption(soReuseAddr, true);
      s.setOption(soMaxPacingRate, 5);
      s.setOption(soMaxPacingRate, 5n);
      // @ts-expect-error a boolean is wanted
      s.setOption(soReuseAddr, 1);
      // @ts-expect-error a number or null is wanted
      s.setOption(soLinger, 'x');
    };
    expectTypeOf(set).toBeFunction();
    const raw = (s: PlaceSocket) =>
      [s.getsockopt(1, 2), s.getsockopt(1, 2, 4), s.getsockopt(1, 2, new Uint8Array(4))] as const;
    expectTypeOf(raw).returns.toEqualTypeOf<readonly [number, Buffer, Buffer]>();
    const ask = (
      s: PlaceSocket,
      may: RequestOption<string, number | undefined>,
      must: RequestOption<bigint, number>,
    ) => {
      // @ts-expect-error this one cannot be read without a request
      s.getOption(must);
      // @ts-expect-error it has another type
      s.getOption(must, 'x');
      // @ts-expect-error what asks nothing takes no request
      s.getOption(soType, 1);
      return [s.getOption(may), s.getOption(may, 1), s.getOption(must, 1)] as const;
    };
    expectTypeOf(ask).returns.toEqualTypeOf<readonly [string, string, bigint]>();
    const key: OptionKey = { level: 1, name: 2, label: 'X' };
    expectTypeOf(booleanOption(key)).toEqualTypeOf<SocketOption<boolean>>();
    expectTypeOf(integerOption({ ...key, min: 0 })).toEqualTypeOf<SocketOption<number>>();
    expectTypeOf(soType).toEqualTypeOf<ReadonlyOption<number>>();
    expectTypeOf<TransmitTime>().toExtend<{ clock: number }>();
    expectTypeOf(soTimestampNs.message).toEqualTypeOf<ReceiveOnlyMessage<bigint>>();
  });

  it('ancillary data', () => {
    expectTypeOf(scmTimestamping.find).returns.toEqualTypeOf<Timestamping | undefined>();
    expectTypeOf(scmRights.take).parameter(0).toEqualTypeOf<Ancillary>();
    expectTypeOf(scmRights.create).parameter(0).toEqualTypeOf<readonly number[]>();
    expectTypeOf(scmRights.find).returns.toEqualTypeOf<number[] | undefined>();
    expectTypeOf(Ancillary.none()).toExtend<Iterable<AncillaryItem>>();
    expectTypeOf(Ancillary.none()).toExtend<Disposable>();
    const make = (codec: AncillaryCodec<number, string>) => ancillaryMessage(codec);
    expectTypeOf(make).returns.toEqualTypeOf<AncillaryMessage<number, string>>();
  });

  it('batches', () => {
    const options: MessageBatchOptions = { count: 1, size: 1 };
    const receive = async (s: PlaceSocket) => {
      const any = new MessageBatch(options);
      const typed = new MessageBatch<Place, PlaceInput>(options);
      typed.push('x', 'a name');
      await s.recvBatch(any);
      await s.recvBatch(typed);
      await s.sendBatch(typed);
      s.sendBatchSync(any);
      return typed.address(0);
    };
    expectTypeOf(receive).returns.resolves.toEqualTypeOf<Place | null>();
  });

  it('poll takes sockets of every family', () => {
    const several = (a: PlaceSocket, b: Special, c: Socket<string>, d: Socket) =>
      poll([{ socket: a }, { socket: b, writable: true }, { socket: c }, { socket: d }]);
    expectTypeOf(several).returns.resolves.toEqualTypeOf<PollResult[]>();
    expectTypeOf(pollSync).returns.toEqualTypeOf<PollResult[]>();
    expectTypeOf(tryPoll).returns.toEqualTypeOf<PollResult[]>();
  });

  it('a family is a plain object', () => {
    const minimal = {
      name: 'minimal',
      domain: 99,
      encode: (_input: string, _into: Uint8Array) => 2,
      decode: () => '',
      format: (text: string) => text,
    } satisfies AddressFamily<string>;
    expectTypeOf(minimal).toExtend<AddressFamily<string>>();
    expectTypeOf<NonNullable<AddressFamily<string>['explain']>>().parameter(0).toEqualTypeOf<FailedCall>();
    expectTypeOf<SocketErrorDetails>().toExtend<{ code: string; errno: number; syscall: string }>();
    expectTypeOf<NetworkInterface>().toEqualTypeOf<{ index: number; name: string }>();
    expectTypeOf<UnknownAddress>().toExtend<{ readonly domain: number; readonly data: Uint8Array }>();
  });
});
