import { type ReadonlyOption, SOCK_RAW, Socket, type SocketOption } from '@sock/core';
import {
  NETLINK_ROUTE,
  NETLINK_USERSOCK,
  netlink,
  netlinkAddMembership,
  netlinkBroadcastError,
  netlinkCapAck,
  netlinkDropMembership,
  netlinkExtAck,
  netlinkGetStrictChk,
  netlinkListenAllNsid,
  netlinkListMemberships,
  netlinkNoEnobufs,
  netlinkPktInfo,
  RTMGRP_LINK,
  RTNLGRP_IPV4_ROUTE,
  RTNLGRP_LINK,
  RTNLGRP_STATS,
} from '@sock/netlink';
import { itIf, probe, thrown, unique, within } from '@sock/testkit';
import { expect } from 'chai';

describe('netlink options', () => {
  const table: SocketOption<boolean>[] = [
    netlinkPktInfo,
    netlinkBroadcastError,
    netlinkNoEnobufs,
    netlinkCapAck,
    netlinkExtAck,
    netlinkGetStrictChk,
  ];

  function toggles(option: SocketOption<boolean>): void {
    using socket = new Socket(netlink);
    expect(socket.getOption(option)).to.equal(false);
    socket.setOption(option, true);
    expect(socket.getOption(option)).to.equal(true);
    socket.setOption(option, false);
    expect(socket.getOption(option)).to.equal(false);
    expect(thrown(() => socket.setOption(option, 1 as never))).to.include({ argument: 'value' });
  }

  for (const option of table)
    it(`${option.label} is false at first, and what it was set to then`, () => toggles(option));

  itIf(probe('root'), 'NETLINK_LISTEN_ALL_NSID is false at first, and what it was set to then', () => {
    using socket = new Socket(netlink);
    // older kernels do not tell
    try {
      socket.getOption(netlinkListenAllNsid);
    } catch (error) {
      expect(error).to.include({ code: 'ENOPROTOOPT' });
      socket.setOption(netlinkListenAllNsid, true);
      return;
    }
    toggles(netlinkListenAllNsid);
  });

  it('groups are joined and left by number, also beyond the 32nd', () => {
    using socket = new Socket(netlink);
    const groups = [RTNLGRP_LINK, RTNLGRP_IPV4_ROUTE, 32, 33];
    expect(socket.getOption(netlinkListMemberships)).to.deep.equal([]);
    for (const group of groups) socket.setOption(netlinkAddMembership, group);
    expect(socket.getOption(netlinkListMemberships)).to.deep.equal(groups);
    socket.setOption(netlinkDropMembership, 32);
    expect(socket.getOption(netlinkListMemberships)).to.deep.equal([1, 7, 33]);
    expect(RTNLGRP_STATS).to.equal(36);
  });

  it('groups of an address are the same groups', () => {
    using socket = new Socket(netlink);
    socket.tryBind({ groups: RTMGRP_LINK });
    expect(socket.getOption(netlinkListMemberships)).to.deep.equal([RTNLGRP_LINK]);
  });

  it('a group that there is not is EINVAL, and the message says so', () => {
    using socket = new Socket(netlink);
    const error = thrown(() => socket.setOption(netlinkAddMembership, 5000));
    expect(error).to.include({ code: 'EINVAL', syscall: 'setsockopt' });
    expect(error.message).to.contain('this protocol has no group of that number');
    for (const wrong of [0, -1, 0.5, '1']) {
      expect(thrown(() => socket.setOption(netlinkAddMembership, wrong as number))).to.include({ argument: 'value' });
      expect(thrown(() => socket.setOption(netlinkDropMembership, wrong as number))).to.include({ argument: 'value' });
    }
  });

  it('what is only set cannot be read, and the other way round', () => {
    using socket = new Socket(netlink);
    expect(thrown(() => socket.getOption(netlinkAddMembership as unknown as ReadonlyOption<number>))).to.include({
      argument: 'option',
    });
    expect(thrown(() => socket.setOption(netlinkListMemberships as unknown as SocketOption<number[]>, []))).to.include({
      argument: 'option',
    });
  });

  itIf(probe('root'), 'NETLINK_PKTINFO tells the group of each message', async () => {
    using receiver = new Socket(netlink, SOCK_RAW, NETLINK_USERSOCK);
    using sender = new Socket(netlink, SOCK_RAW, NETLINK_USERSOCK);
    using bystander = new Socket(netlink, SOCK_RAW, NETLINK_USERSOCK);
    const [pid, other] = [0, 1].map(() => 0x40000000 + (unique() % 0x40000000));
    receiver.tryBind({ pid: pid as number, groups: 1 << 4 });
    bystander.tryBind({ pid: other as number });
    const group = async (): Promise<number | undefined> => {
      const { ancillary } = await within('a message', receiver.recvMsg(100, netlinkPktInfo.message.space));
      return netlinkPktInfo.message.find(ancillary);
    };
    receiver.setOption(netlinkPktInfo, true);
    sender.trySendTo('to a group', { pid: other as number, groups: 1 << 4 });
    expect(await group()).to.equal(5);
    sender.trySendTo('to one', { pid: pid as number });
    expect(await group()).to.equal(0);
    receiver.setOption(netlinkPktInfo, false);
    sender.trySendTo('to one', { pid: pid as number });
    expect(await group()).to.equal(undefined);
  });

  it('control messages that were cut off, or are sent, are told', () => {
    for (const message of [netlinkPktInfo.message, netlinkListenAllNsid.message]) {
      for (let length = 0; length < 4; length++) expect(message.decode(new Uint8Array(length))).to.equal(undefined);
      expect(message.decode(new Uint8Array(4))).to.equal(0);
      expect(thrown(() => message.create(1 as never))).to.include({ argument: 'message' });
    }
    expect(netlinkListenAllNsid.message.decode(Uint8Array.of(255, 255, 255, 255))).to.equal(-1);
  });

  itIf(probe('root'), 'NETLINK_NO_ENOBUFS loses messages without a word', () => {
    using receiver = new Socket(netlink, SOCK_RAW, NETLINK_USERSOCK);
    using sender = new Socket(netlink, SOCK_RAW, NETLINK_USERSOCK);
    receiver.setOption(netlinkNoEnobufs, true);
    receiver.tryBind({ groups: 1 << 6 });
    for (let i = 0; i < 500; i++) {
      // the kernel, where it goes too, does not take it
      expect(thrown(() => sender.trySendTo(Buffer.alloc(8192), { groups: 1 << 6 })).code).to.equal('ECONNREFUSED');
    }
    let received = 0;
    while (receiver.tryRecv(1) !== null) received++;
    expect(received).to.be.within(1, 499);
  });

  it('are those of NETLINK_ROUTE too', () => {
    expect(netlink.protocol).to.equal(NETLINK_ROUTE);
  });
});
