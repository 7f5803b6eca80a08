import { MSG_PEEK, Socket } from '@sock/core';
import {
  RDS_TRANS_IB,
  RDS_TRANS_TCP,
  rds,
  rds6InfoConnections,
  rdsCancelSentTo,
  rdsCongMonitor,
  rdsInfoConnections,
  rdsInfoCounters,
  rdsInfoRecvMessages,
  rdsInfoRetransMessages,
  rdsInfoSendMessages,
  rdsInfoSockets,
  rdsRecverr,
  soRdsTransport,
} from '@sock/rds';
import { cleaner, describeIf, thrown } from '@sock/testkit';
import { expect } from 'chai';
import { bound, exchange } from './hosts.js';

describeIf('AF_RDS', 'options of RDS', function () {
  this.timeout(20_000);
  const own = cleaner();

  it('are set and read back', () => {
    using socket = new Socket(rds);
    expect(socket.getOption(rdsRecverr)).to.equal(false);
    socket.setOption(rdsRecverr, true);
    expect(socket.getOption(rdsRecverr)).to.equal(true);
    socket.setOption(rdsCongMonitor, true);
    socket.setOption(rdsCongMonitor, false);
    expect(thrown(() => socket.getOption(rdsCongMonitor as never))).to.include({ argument: 'option' });
  });

  it('SO_RDS_TRANSPORT is chosen once', () => {
    using socket = new Socket(rds);
    expect(socket.getOption(soRdsTransport)).to.equal(null);
    expect(thrown(() => socket.setOption(soRdsTransport, RDS_TRANS_IB + 99))).to.include({ argument: 'value' });
    socket.setOption(soRdsTransport, RDS_TRANS_TCP);
    expect(socket.getOption(soRdsTransport)).to.equal(RDS_TRANS_TCP);
    const error = thrown(() => socket.setOption(soRdsTransport, RDS_TRANS_TCP));
    expect(error.code).to.equal('EOPNOTSUPP');
    expect(error.message).to.include('before the socket is bound');
  });

  it('InfiniBand is taken where the kernel has it, and refused where it has not', () => {
    using socket = new Socket(rds);
    let transport: number | null = RDS_TRANS_IB;
    try {
      socket.setOption(soRdsTransport, RDS_TRANS_IB);
    } catch (error) {
      expect(error).to.include({ code: 'ENOPROTOOPT', syscall: 'setsockopt' });
      transport = null;
    }
    expect(socket.getOption(soRdsTransport)).to.equal(transport);
  });

  it('RDS_CANCEL_SENT_TO wants a bound socket', () => {
    using unbound = new Socket(rds);
    expect(thrown(() => unbound.setOption(rdsCancelSentTo, { host: '127.0.0.2', port: 1 })).code).to.equal('ENOTCONN');
    const socket = own(bound('127.0.0.1'));
    socket.setOption(rdsCancelSentTo, { host: '127.0.0.2', port: 1 });
  });

  it('tell of sockets, messages, connections and counters', async () => {
    const [a, b] = [own(bound('127.0.0.1')), own(bound('127.0.0.2'))];
    await exchange(a, b, 'hello');
    const known = a.getOption(rdsInfoSockets).map(({ bound: { host, port } }) => `${host}:${port}`);
    for (const socket of [a, b]) expect(known).to.include(rds.format(socket.getsockname()));
    const connections = a.getOption(rdsInfoConnections);
    const connection = connections.find(({ peer }) => peer === '127.0.0.2');
    expect(connection?.nextTxSeq).to.be.a('bigint');
    expect(a.getOption(rds6InfoConnections).map(({ peer }) => peer)).to.include('::ffff:127.0.0.2');
    const counter = a.getOption(rdsInfoCounters).find(({ name }) => name === 'recv_delivered');
    expect(counter?.value).to.satisfy((value: bigint) => value >= 1n);

    await a.sendTo('waits', b.getsockname());
    // readiness may be about a port that was congested: a message that is seen is there
    await b.recv(8, { flags: MSG_PEEK });
    const { host, port } = b.getsockname();
    const waiting = b.getOption(rdsInfoRecvMessages).filter(({ local }) => local.host === host && local.port === port);
    expect(waiting).to.have.length(1);
    expect(waiting[0]).to.deep.include({ length: 5, peer: a.getsockname() });
    for (const option of [rdsInfoSendMessages, rdsInfoRetransMessages]) {
      expect(a.getOption(option)).to.be.an('array');
    }
  });
});
