import { MessageBatch, Socket, soRcvBuf, soSndBuf } from '@sock/core';
import {
  RDS_CONG_MONITOR_MASK,
  RDS_MSG_RX_DGRAM_DELIVERED,
  RDS_MSG_RX_HDR_TO_DGRAM_START,
  type RdsAddress,
  type RdsInput,
  rds,
  rdsCongMonitor,
  rdsInfoConnections,
  rdsTimestamp,
  scmRdsRxpathLatency,
  soRdsMsgRxpathLatency,
} from '@sock/rds';
import { cleaner, describeIf, type LibraryError, python, rejection, scaled, startPython, thrown } from '@sock/testkit';
import { carrier, linkKind, Network, networks } from '@sock/testkit/network';
import { expect } from 'chai';
import { bound, exchange, type RdsSocket } from './hosts.js';

describeIf('AF_RDS', 'RDS', function () {
  this.timeout(30_000);
  const own = cleaner();
  const at = (host: string, port?: number): RdsSocket => own(bound(host, port));

  it('the kernel agrees with the codec about what a socket is bound to', () => {
    const unbound = own(new Socket(rds));
    expect(unbound.getsockname()).to.deep.equal({ host: '0.0.0.0', port: 0 });
    const socket = at('127.0.0.1', 18_634);
    expect(socket.getsockname()).to.deep.equal({ host: '127.0.0.1', port: 18_634 });
    expect(at('127.0.0.3').getsockname().port).to.be.greaterThan(0);
    expect(at('::1').getsockname()).to.include({ host: '::1', scopeid: 0 });
    const error = thrown(() => own(new Socket(rds)).bindSync({ host: '127.0.0.1', port: 18_634 }));
    expect(error.code).to.equal('EADDRINUSE');
    expect(thrown(() => own(new Socket(rds)).bindSync({ host: '192.0.2.1' })).message).to.include('none of this host');
    expect(thrown(() => new Socket(rds, 2)).message).to.include('SOCK_SEQPACKET only');
  });

  it('messages go from address to address, of IPv4 and of IPv6', async () => {
    const [a, b] = [at('127.0.0.1'), at('127.0.0.2')];
    await exchange(a, b, 'there');
    await exchange(b, a, 'and back');
    await a.connect(b.getsockname());
    expect(a.getpeername()).to.deep.equal(b.getsockname());
    await a.send(Buffer.alloc(100_000, 7));
    expect((await b.recv(200_000)).equals(Buffer.alloc(100_000, 7))).to.equal(true);
    const [c, d] = [at('::1'), at('::1')];
    await exchange(c, d, 'IPv6');
  });

  it('a batch that cannot be sent whole says how much was, and sends nothing twice', async () => {
    const [a, b] = [at('127.0.0.1'), at('127.0.0.2')];
    const to = b.getsockname();
    const batch = new MessageBatch<RdsAddress, RdsInput>({ count: 4, size: 8 });
    batch.push('one', to);
    batch.push('two', to);
    batch.push('neither', { host: '::1', port: 1 });
    batch.push('four', to);
    expect(await rejection(a.sendBatch(batch))).to.include({ code: 'EOPNOTSUPP', syscall: 'sendmmsg', transferred: 2 });
    expect([(await b.recv(8)).toString(), (await b.recv(8)).toString()]).to.deep.equal(['one', 'two']);
    await exchange(a, b, 'nothing else');
  });

  it('a socket that is not bound does not send, and says so', async () => {
    const socket = own(new Socket(rds));
    const error = await rejection(socket.sendTo('x', { host: '127.0.0.1', port: 1 }));
    expect(error.code).to.equal('ENOTCONN');
    expect(error.message).to.include('must be bound first');
  });

  it('messages tell how long they took, and when they came', async () => {
    const [a, b] = [at('127.0.0.1'), at('127.0.0.2')];
    b.setOption(soRdsMsgRxpathLatency, [RDS_MSG_RX_DGRAM_DELIVERED, RDS_MSG_RX_HDR_TO_DGRAM_START]);
    b.setOption(rdsTimestamp, true);
    await a.sendTo('timed', b.getsockname());
    const room = scmRdsRxpathLatency.space + rdsTimestamp.message.space;
    const { data, ancillary } = await b.recvMsg(100, room);
    expect(data.toString()).to.equal('timed');
    const points = soRdsMsgRxpathLatency.message.find(ancillary)?.map(({ point }) => point);
    expect(points).to.deep.equal([RDS_MSG_RX_DGRAM_DELIVERED, RDS_MSG_RX_HDR_TO_DGRAM_START]);
    const received = rdsTimestamp.message.find(ancillary) ?? 0n;
    expect(Number(received / 1_000_000n)).to.be.closeTo(Date.now(), scaled(60_000));
  });

  it('what is sent to a port that nobody has is gone, and hinders nobody', async () => {
    const [a, b] = [at('127.0.0.1'), at('127.0.0.2')];
    await a.sendTo('to nobody', { host: '127.0.0.2', port: 1 });
    await exchange(a, b, 'to somebody');
    b.close();
    await a.sendTo('too late', { host: '127.0.0.2', port: 2 });
    expect(a.tryRecv(10)).to.equal(null);
  });

  describeIf(python, 'beside Python', () => {
    it('its messages are understood, and understand', async () => {
      const socket = at('127.0.0.1');
      const { port } = socket.getsockname();
      const other = own(
        startPython(`
import socket
s = socket.socket(socket.AF_RDS, socket.SOCK_SEQPACKET)
s.settimeout(60)
s.bind(('127.0.0.2', 0))
s.sendto(b'from Python', ('127.0.0.1', ${port}))
data, sender = s.recvfrom(100)
print(data.decode(), sender[1])`),
      );
      const { data, address } = await socket.recvFrom(100, { timeout: scaled(20_000) });
      expect(data.toString()).to.equal('from Python');
      await socket.sendTo('to Python', address as { host: string; port: number });
      expect((await other.succeeded()).stdout).to.equal(`to Python ${port}\n`);
    });
  });
});

// A kernel tells itself nothing of congestion: two hosts are needed, and a wire.
describeIf(['AF_RDS', networks, linkKind('veth')], 'two hosts of RDS', function () {
  this.timeout(60_000);
  const own = cleaner();

  it('a receiver that does not read makes its senders fail: they are told, and when it has room again', async () => {
    using near = new Network();
    using far = new Network();
    near.wire('10.78.0.1', far, '10.78.0.2');
    for (const { socket } of [near, far]) await carrier(socket);
    const sender = own(bound('10.78.0.1', 0, { namespace: near.fd }));
    const slow = own(bound('10.78.0.2', 0, { namespace: far.fd }));
    await exchange(sender, slow, 'there');
    await exchange(slow, sender, 'and back');
    const connection = sender.getOption(rdsInfoConnections).find(({ peer }) => peer === '10.78.0.2');
    expect(connection).to.include({ local: '10.78.0.1', transport: 'tcp' });

    slow.setOption(soRcvBuf, 65_536);
    sender.setOption(soSndBuf, 4_000_000);
    sender.setOption(rdsCongMonitor, true);
    const message = Buffer.alloc(32_768);
    let sent = 0;
    let error: LibraryError | undefined;
    while (error === undefined && sent < 10_000) {
      await sender.sendTo(message, slow.getsockname()).then(
        () => sent++,
        (reason: LibraryError) => {
          error = reason;
        },
      );
    }
    expect(error).to.include({ code: 'ENOBUFS' });
    expect(error?.message).to.include('nothing was sent');
    for (let read = 0; read < sent; read++) expect((await slow.recv(40_000)).length).to.equal(32_768);
    const { data, ancillary } = await sender.recvMsg(1, rdsCongMonitor.message.space);
    expect(data.length).to.equal(0);
    const mask = rdsCongMonitor.message.find(ancillary) ?? 0n;
    expect(mask & RDS_CONG_MONITOR_MASK(slow.getsockname().port)).not.to.equal(0n);
    await exchange(sender, slow, 'again');
  });
});
