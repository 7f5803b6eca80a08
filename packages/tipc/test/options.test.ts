import { SOCK_DGRAM, SOCK_RDM, SOCK_SEQPACKET, SOCK_STREAM, Socket, type SocketOption } from '@sock/core';
import { describeIf, thrown } from '@sock/testkit';
import {
  type CommandOption,
  TIPC_CRITICAL_IMPORTANCE,
  TIPC_HIGH_IMPORTANCE,
  TipcSocket,
  tipc,
  tipcConnTimeout,
  tipcDestDroppable,
  tipcGroupJoin,
  tipcGroupLeave,
  tipcImportance,
  tipcMcastBroadcast,
  tipcMcastReplicast,
  tipcNodelay,
  tipcNodeRecvqDepth,
  tipcSockRecvqDepth,
  tipcSockRecvqUsed,
  tipcSrcDroppable,
} from '@sock/tipc';
import { expect } from 'chai';
import { freshType, hasTipc } from './cluster.js';

describeIf(hasTipc, 'options of TIPC', () => {
  it('are set and read back', () => {
    const table: [SocketOption<number>, number, number][] = [
      [tipcImportance, 0, TIPC_CRITICAL_IMPORTANCE],
      [tipcConnTimeout, 8000, 65_535],
    ];
    using socket = new Socket(tipc, SOCK_RDM);
    for (const [option, initial, value] of table) {
      expect(socket.getOption(option), option.label).to.equal(initial);
      socket.setOption(option, value);
      expect(socket.getOption(option), option.label).to.equal(value);
      for (const bad of [-1, 65_536, 1.5]) {
        expect(thrown(() => socket.setOption(option, bad))).to.include({ code: 'ERR_OUT_OF_RANGE', argument: 'value' });
      }
    }
  });

  it('say what may be dropped, which depends on the type at first', () => {
    for (const [type, source, destination] of [
      [SOCK_RDM, false, true],
      [SOCK_DGRAM, true, true],
      [SOCK_SEQPACKET, false, false],
      [SOCK_STREAM, false, false],
    ] as const) {
      using socket = new Socket(tipc, type);
      expect(socket.getOption(tipcSrcDroppable)).to.equal(source);
      expect(socket.getOption(tipcDestDroppable)).to.equal(destination);
      socket.setOption(tipcDestDroppable, !destination);
      expect(socket.getOption(tipcDestDroppable)).to.equal(!destination);
      if (type !== SOCK_STREAM) socket.setOption(tipcSrcDroppable, !source);
      else expect(thrown(() => socket.setOption(tipcSrcDroppable, true))).to.include({ code: 'ENOPROTOOPT' });
    }
  });

  it('count what waits', async () => {
    using socket = new Socket(tipc, SOCK_RDM);
    expect(socket.getOption(tipcSockRecvqDepth)).to.equal(0);
    expect(socket.getOption(tipcSockRecvqUsed)).to.equal(0);
    await socket.sendTo('one', socket.getsockname());
    await socket.sendTo('two', socket.getsockname());
    expect(socket.getOption(tipcSockRecvqDepth)).to.equal(2);
    expect(socket.getOption(tipcSockRecvqUsed)).to.be.greaterThan(0);
    expect(socket.getOption(tipcNodeRecvqDepth)).to.equal(0);
    expect(thrown(() => socket.setOption(tipcSockRecvqDepth as never, 1 as never))).to.include({ argument: 'option' });
  });

  it('without a value do what they say', () => {
    using socket = new Socket(tipc, SOCK_RDM);
    const commands: CommandOption[] = [tipcMcastBroadcast, tipcMcastReplicast];
    for (const command of commands) {
      socket.setOption(command, true);
      expect(thrown(() => socket.setOption(command, false as true))).to.include({ code: 'ERR_OUT_OF_RANGE' });
      expect(thrown(() => socket.setOption(command, 1 as unknown as true))).to.include({
        code: 'ERR_INVALID_ARG_TYPE',
        argument: 'value',
      });
    }
    expect(thrown(() => socket.getOption(tipcMcastBroadcast as never))).to.include({ argument: 'option' });
  });

  it('make members of groups', () => {
    using socket = new Socket(tipc, SOCK_RDM);
    const type = freshType();
    expect(socket.getOption(tipcGroupJoin)).to.equal(null);
    expect(thrown(() => socket.setOption(tipcGroupLeave, true))).to.include({ code: 'EINVAL' });
    socket.setOption(tipcGroupJoin, { type });
    expect(socket.getOption(tipcGroupJoin)).to.equal(type);
    expect(thrown(() => socket.setOption(tipcGroupJoin, { type }))).to.include({ code: 'EACCES' });
    socket.setOption(tipcGroupLeave, true);
    expect(socket.getOption(tipcGroupJoin)).to.equal(null);
    expect(thrown(() => socket.setOption(tipcGroupJoin, { type: 5 })).message).to.include('TIPC_RESERVED_TYPES');
  });

  it('TIPC_NODELAY is only set', () => {
    using socket = new Socket(tipc, SOCK_STREAM);
    socket.setOption(tipcNodelay, true);
    expect(thrown(() => socket.getOption(tipcNodelay as never))).to.include({ argument: 'option' });
  });

  it('are given to the constructor too', () => {
    using socket = new TipcSocket({
      type: SOCK_SEQPACKET,
      importance: TIPC_HIGH_IMPORTANCE,
      destDroppable: true,
      srcDroppable: true,
      connTimeout: 1234,
      nodelay: true,
    });
    expect(socket.type).to.equal(SOCK_SEQPACKET);
    expect(socket.getOption(tipcImportance)).to.equal(TIPC_HIGH_IMPORTANCE);
    expect(socket.getOption(tipcDestDroppable)).to.equal(true);
    expect(socket.getOption(tipcSrcDroppable)).to.equal(true);
    expect(socket.getOption(tipcConnTimeout)).to.equal(1234);
    expect(thrown(() => new TipcSocket({ importance: 4 }))).to.include({
      code: 'ERR_OUT_OF_RANGE',
      argument: 'options.importance',
    });
    expect(thrown(() => new TipcSocket(null as never))).to.include({ argument: 'options' });
  });
});
