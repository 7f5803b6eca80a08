import { type ReadonlyOption, SOCK_RAW, Socket } from '@sock/core';
import * as api from '@sock/inet';
import {
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPV6_FL_A_GET,
  IPV6_FL_A_PUT,
  icmp6Filter,
  inet6,
  ip6tSoOriginalDst,
  ipMtu,
  ipProtocol,
  ipv6FlowInfoSend,
  ipv6FlowLabelMgr,
  ipv6Mtu,
  ipv6PathMtu,
  ipv6PktInfo,
  leaseFlowLabel,
  soOriginalDst,
} from '@sock/inet';
import { itIf, probe, thrown } from '@sock/testkit';
import { expect } from 'chai';
import { raw, raw6 } from './capabilities.js';
import { connection, open } from './sockets.js';

describe('options that only some sockets have', () => {
  itIf(raw, 'IP_ROUTER_ALERT', () => {
    using socket = open.raw4();
    socket.setOption(api.ipRouterAlert, true);
    socket.setOption(api.ipRouterAlert, false);
  });

  itIf(raw6, 'IPV6_ROUTER_ALERT', () => {
    using socket = new Socket(inet6, SOCK_RAW, 255);
    socket.setOption(api.ipv6RouterAlert, 0);
    socket.setOption(api.ipv6RouterAlert, -1);
  });

  itIf(raw, 'IP_PROTOCOL is what a raw socket was opened with', () => {
    using socket = open.raw4();
    try {
      expect(socket.getOption(ipProtocol)).to.equal(IPPROTO_ICMP);
    } catch (error) {
      expect(error, 'before Linux 6.0').to.include({ code: 'ENOPROTOOPT' });
    }
  });

  itIf(raw6, 'ICMP6_FILTER', () => {
    using socket = new Socket(inet6, SOCK_RAW, IPPROTO_ICMPV6);
    expect(socket.getOption(icmp6Filter)).to.deep.equal({ block: [] });
    socket.setOption(icmp6Filter, { block: [1, 128, 255] });
    expect(socket.getOption(icmp6Filter)).to.deep.equal({ block: [1, 128, 255] });
    socket.setOption(icmp6Filter, { pass: [129] });
    const { block } = socket.getOption(icmp6Filter);
    expect(block).to.have.lengthOf(255).and.not.include(129);
  });

  itIf(probe('AF_INET6'), 'IPV6_MTU and IPV6_PATHMTU of a connected socket', () => {
    using socket = open.udp6();
    expect(thrown(() => socket.getOption(ipv6PathMtu))).to.include({ code: 'ENOTCONN' });
    socket.tryConnect({ host: '::1', port: 9 });
    const mtu = socket.getOption(ipv6Mtu);
    expect(mtu).to.be.at.least(1280);
    expect(socket.getOption(ipv6PathMtu)).to.deep.include({ mtu });
    socket.setOption(ipv6Mtu, 1400);
  });

  it('IP_MTU of a connected socket', () => {
    using socket = open.udp4();
    expect(thrown(() => socket.getOption(ipMtu))).to.include({ code: 'ENOTCONN' });
    socket.tryConnect({ host: '127.0.0.1', port: 9 });
    expect(socket.getOption(ipMtu)).to.be.at.least(68);
  });

  itIf(probe('AF_INET6'), 'IPV6_PKTINFO takes interface and source', () => {
    using socket = open.udp6();
    socket.setOption(ipv6PktInfo, { source: '::1', interface: 'lo' });
    socket.setOption(ipv6PktInfo, {});
    expect(thrown(() => socket.getOption(ipv6PktInfo as unknown as ReadonlyOption<unknown>))).to.have.property('code');
  });

  itIf(probe('AF_INET6'), 'IPV6_FLOWLABEL_MGR leases labels, which sockets then send with', async () => {
    // a label is the machine's: another run may hold the same, or have held it until a moment ago
    const label = 1 + Math.floor(Math.random() * 0xffffe);
    using socket = open.udp6();
    socket.setOption(ipv6FlowLabelMgr, { action: IPV6_FL_A_GET, label, host: '::1', flags: 1 });
    socket.setOption(ipv6FlowInfoSend, true);
    using receiver = open.udp6();
    receiver.tryBind({ host: '::1' });
    receiver.setOption(api.ipv6FlowInfo, true);
    await socket.sendTo('x', { ...receiver.getsockname(), flowinfo: label });
    const { ancillary } = await receiver.recvMsg(10, api.ipv6FlowInfo.message.space);
    expect((api.ipv6FlowInfo.message.find(ancillary) ?? 0) & 0xfffff).to.equal(label);
    socket.setOption(ipv6FlowLabelMgr, { action: IPV6_FL_A_PUT, label });
    expect(thrown(() => socket.setOption(ipv6FlowLabelMgr, { action: 0, label: 0 }))).to.include({
      argument: 'value.label',
    });
  });

  itIf(probe('AF_INET6'), 'leaseFlowLabel leaves the choice of a label to the kernel', async () => {
    using socket = open.udp6();
    const label = leaseFlowLabel(socket, { host: '::1' });
    expect(label).to.be.within(1, 0xfffff);
    expect(leaseFlowLabel(socket, { host: '::1' })).not.to.equal(label);
    socket.setOption(ipv6FlowInfoSend, true);
    using receiver = open.udp6();
    receiver.tryBind({ host: '::1' });
    receiver.setOption(api.ipv6FlowInfo, true);
    await socket.sendTo('x', { ...receiver.getsockname(), flowinfo: label });
    const { ancillary } = await receiver.recvMsg(10, api.ipv6FlowInfo.message.space);
    expect((api.ipv6FlowInfo.message.find(ancillary) ?? 0) & 0xfffff).to.equal(label);
    socket.setOption(ipv6FlowLabelMgr, { action: IPV6_FL_A_PUT, label });
    expect(thrown(() => leaseFlowLabel(socket, null as never))).to.include({ argument: 'request' });
    expect(thrown(() => leaseFlowLabel(socket, { host: 'x' }))).to.include({ argument: 'request.host' });
  });

  itIf([probe('AF_INET6'), raw6], 'IPv6 extension headers', async () => {
    // a destination options header of 8 bytes: next header, length 0, PadN with 4 bytes
    const header = Buffer.from([0, 0, 1, 4, 0, 0, 0, 0]);
    using socket = open.udp6();
    expect(socket.getOption(api.ipv6DstOpts).length).to.equal(0);
    socket.setOption(api.ipv6DstOpts, header);
    expect(socket.getOption(api.ipv6DstOpts).subarray(1, 4)).to.deep.equal(header.subarray(1, 4));
    socket.setOption(api.ipv6HopOpts, header);
    expect(socket.getOption(api.ipv6HopOpts).length).to.equal(8);
    using receiver = open.udp6();
    receiver.tryBind({ host: '::1' });
    receiver.setOption(api.ipv6RecvDstOpts, true);
    receiver.setOption(api.ipv6RecvHopOpts, true);
    await socket.sendTo('x', receiver.getsockname());
    const { ancillary } = await receiver.recvMsg(10, 256);
    expect(api.ipv6RecvDstOpts.message.find(ancillary)?.subarray(1)).to.deep.equal(header.subarray(1));
    expect(api.ipv6RecvHopOpts.message.find(ancillary)?.subarray(1)).to.deep.equal(header.subarray(1));
    for (const option of [api.ipv6DstOpts, api.ipv6HopOpts, api.ipv6RthdrDstOpts, api.ipv6Rthdr]) {
      socket.setOption(option, new Uint8Array(0));
      expect(socket.getOption(option).length).to.equal(0);
    }
  });

  it('SO_ORIGINAL_DST of a connection that nobody redirected is an error', async () => {
    await using pair = await connection();
    const error = thrown(() => pair.accepted.getOption(soOriginalDst));
    expect(error.code).to.be.oneOf(['ENOENT', 'ENOPROTOOPT']);
    const sockaddr = Buffer.alloc(16);
    sockaddr.set([0, 80, 192, 0, 2, 1], 2);
    expect(soOriginalDst.decode(sockaddr, pair.accepted)).to.deep.equal({ host: '192.0.2.1', port: 80 });
  });

  itIf(probe('AF_INET6'), 'IP6T_SO_ORIGINAL_DST likewise', async () => {
    await using pair = await connection('::1');
    const error = thrown(() => pair.accepted.getOption(ip6tSoOriginalDst));
    expect(error.code).to.be.oneOf(['ENOENT', 'ENOPROTOOPT']);
    const sockaddr = Buffer.alloc(28);
    sockaddr.set([0, 80], 2);
    sockaddr[23] = 1;
    const address = { host: '::1', port: 80, flowinfo: 0, scopeid: 0 };
    expect(ip6tSoOriginalDst.decode(sockaddr, pair.accepted)).to.deep.equal(address);
  });
});
