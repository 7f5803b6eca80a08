import type { AddressFamily, AncillaryMessage, Socket } from '@sock/core';
import { SOCK_DGRAM, Socket as SocketClass } from '@sock/core';
import {
  createConnection,
  createServer,
  createServerSync,
  type getaddrinfo,
  type gethostbyname_ex,
  type Inet6Address,
  type Inet6Input,
  type InetAddress,
  type InetInput,
  type IpAddress,
  type IpExtendedError,
  type IpSocket,
  inet,
  inet6,
  ipPktInfo,
  ipRecvErr,
  type PacketInfo4,
  type PacketInfoInput,
  type TcpInfo,
  tcpCongestion,
  tcpInfo,
  tcpKeepIdle,
  tcpNoDelay,
} from '@sock/inet';
import { expectTypeOf } from 'expect-type';

describe('types', () => {
  it('of the families', () => {
    expectTypeOf(inet).toEqualTypeOf<AddressFamily<InetAddress, InetInput>>();
    expectTypeOf(inet6).toEqualTypeOf<AddressFamily<Inet6Address, Inet6Input>>();
    expectTypeOf<Inet6Address>().toExtend<InetAddress>();
    expectTypeOf<InetAddress>().toExtend<InetInput>();
    expectTypeOf<Inet6Address>().toExtend<Inet6Input>();
  });

  it('of what sockets take and give', () => {
    using four = new SocketClass(inet, SOCK_DGRAM);
    using six = new SocketClass(inet6, SOCK_DGRAM);
    expectTypeOf(four).toEqualTypeOf<Socket<InetAddress, InetInput>>();
    expectTypeOf(four.getsockname()).toEqualTypeOf<InetAddress>();
    expectTypeOf(six.getsockname().scopeid).toEqualTypeOf<number>();
    // @ts-expect-error a port is a number
    const wrong = (): unknown => four.trySendTo('x', { port: '80' });
    // @ts-expect-error IPv4 has no scope
    const scoped = (): unknown => four.trySendTo('x', { host: '127.0.0.1', scopeid: 1 });
    expectTypeOf(wrong).toBeFunction();
    expectTypeOf(scoped).toBeFunction();
    // a socket of one family passes for one of either
    expectTypeOf(six).toExtend<IpSocket>();
  });

  it('of options', () => {
    using socket = new SocketClass(inet, SOCK_DGRAM);
    const typed = () => {
      expectTypeOf(socket.getOption(tcpKeepIdle)).toEqualTypeOf<number>();
      expectTypeOf(socket.getOption(tcpNoDelay)).toEqualTypeOf<boolean>();
      expectTypeOf(socket.getOption(tcpCongestion)).toEqualTypeOf<string>();
      expectTypeOf(socket.getOption(tcpInfo)).toEqualTypeOf<TcpInfo>();
      expectTypeOf(socket.getOption(tcpInfo).rtt).toEqualTypeOf<number>();
      expectTypeOf(socket.getOption(tcpInfo).pacingRate).toEqualTypeOf<bigint | undefined>();
      // @ts-expect-error it is a boolean
      socket.setOption(tcpNoDelay, 1);
    };
    expectTypeOf(typed).toBeFunction();
    expectTypeOf(ipPktInfo.message).toEqualTypeOf<AncillaryMessage<PacketInfo4, PacketInfoInput>>();
    expectTypeOf(ipRecvErr.message.find([])).toEqualTypeOf<IpExtendedError | undefined>();
  });

  it('of connections, servers and look-ups', () => {
    expectTypeOf(createConnection).returns.resolves.toEqualTypeOf<IpSocket>();
    expectTypeOf(createServer).returns.resolves.toEqualTypeOf<IpSocket>();
    expectTypeOf(createServerSync).returns.toEqualTypeOf<IpSocket>();
    expectTypeOf<Awaited<ReturnType<typeof getaddrinfo>>[number]['address']>().toEqualTypeOf<IpAddress>();
    expectTypeOf<Awaited<ReturnType<typeof gethostbyname_ex>>>().toHaveProperty('aliases');
  });
});
