import { if_nametoindex } from '@sock/core';
import {
  createConnection,
  createServer,
  IPPROTO_MPTCP,
  type IpSocket,
  ipMtu,
  mptcpInfo,
  mptcpSubflowAddrs,
  mptcpTcpInfo,
  TCP_CA_Open,
  TCP_ESTABLISHED,
  TCP_LISTEN,
  TCPI_OPT_WSCALE,
  tcpCcInfo,
  tcpCongestion,
  tcpFastOpen,
  tcpFastOpenConnect,
  tcpFastOpenKey,
  tcpInfo,
  tcpInq,
  tcpIsMptcp,
  tcpMd5Sig,
  tcpMd5SigExt,
  tcpSavedSyn,
  tcpSaveSyn,
  tcpTimestamp,
  tcpUlp,
} from '@sock/inet';
import { capability, describeIf, itIf, rejection, thrown, within } from '@sock/testkit';
import { expect } from 'chai';
import { mptcp, optionOf } from './capabilities.js';
import { connection, info6, open } from './sockets.js';

describe('TCP_INFO', () => {
  it('tells of a connection', async () => {
    await using pair = await connection();
    await pair.client.sendAll(Buffer.alloc(5000));
    for (let received = 0; received < 5000; ) received += (await pair.accepted.recv(5000)).length;
    const info = pair.client.getOption(tcpInfo);
    expect(info).to.include({ state: TCP_ESTABLISHED, caState: TCP_CA_Open, retransmits: 0, totalRetrans: 0, lost: 0 });
    expect(info.options & TCPI_OPT_WSCALE).to.equal(TCPI_OPT_WSCALE);
    expect(info.rtt).to.be.greaterThan(0);
    expect(info.sndCwnd).to.be.greaterThan(0);
    expect(info.pmtu).to.equal(pair.client.getOption(ipMtu));
    expect(info.bytesSent).to.equal(5000n);
    expect(info.maxPacingRate).to.equal(0xffffffffffffffffn);
    const other = pair.accepted.getOption(tcpInfo);
    expect(other.bytesReceived).to.equal(5000n);
    expect(other.dataSegsIn).to.be.at.least(1);
    expect([info.sndWscale, info.rcvWscale]).to.deep.equal([other.rcvWscale, other.sndWscale]);
  });

  it('tells of a listening socket', async () => {
    using server = await createServer({ host: '127.0.0.1', backlog: 17 });
    expect(server.getOption(tcpInfo)).to.include({ state: TCP_LISTEN, sacked: 17, unacked: 0 });
    using client = await createConnection({ host: '127.0.0.1', port: server.getsockname().port });
    expect(server.getOption(tcpInfo)).to.include({ unacked: 1 });
    expect(client.closed).to.equal(false);
  });

  it('is read from structures of every length', () => {
    const whole = Buffer.from(Array.from({ length: 280 }, (_, i) => i & 0xff));
    using socket = open.tcp4();
    for (let length = 0; length <= whole.length; length++) {
      const info = tcpInfo.decode(whole.subarray(0, length), socket);
      for (const value of Object.values(info)) expect(value).to.not.equal(undefined);
      expect('rtt' in info).to.equal(length >= 72);
      expect('pacingRate' in info).to.equal(length >= 112);
      expect('rehash' in info).to.equal(length >= 240);
      expect('receivedCeBytes' in info).to.equal(length >= 276);
    }
    const info = tcpInfo.decode(whole, socket);
    expect(info.rtt).to.equal(whole.readUInt32LE(68));
    expect(info.deliveryRate).to.equal(whole.readBigUInt64LE(160));
    expect(info.totalRtoRecoveries).to.equal(whole.readUInt16LE(242));
  });
});

describe('TCP options of connections', () => {
  it('TCP_SAVED_SYN is the headers of the SYN, once', async () => {
    await using pair = await connection('127.0.0.1', (socket) => socket.setOption(tcpSaveSyn, 1));
    const headers = pair.accepted.getOption(tcpSavedSyn);
    expect((headers[0] as number) >> 4).to.equal(4);
    expect(headers.readUInt16BE(20)).to.equal(pair.client.getsockname().port);
    expect(pair.accepted.getOption(tcpSavedSyn).length).to.equal(0);
  });

  it('TCP_INQ reports what is left', async () => {
    await using pair = await connection();
    pair.accepted.setOption(tcpInq, true);
    await pair.client.sendAll('0123456789');
    await pair.accepted.waitReadable();
    const { data, ancillary } = await pair.accepted.recvMsg(4, tcpInq.message.space);
    expect([data.length, tcpInq.message.find(ancillary)]).to.deep.equal([4, 6]);
  });

  it('TCP_CC_INFO, TCP_ULP and TCP_TIMESTAMP of a plain connection', async () => {
    // an algorithm that has nothing to tell
    await using pair = await connection('127.0.0.1', (socket) => socket.setOption(tcpCongestion, 'reno'));
    expect(pair.accepted.getOption(tcpCcInfo).length).to.equal(0);
    expect(pair.client.getOption(tcpUlp)).to.equal('');
    expect(thrown(() => pair.client.setOption(tcpUlp, 'nosuch'))).to.include({ code: 'ENOENT' });
    expect(pair.client.getOption(tcpTimestamp)).to.be.a('number');
  });

  it('TCP_FASTOPEN_CONNECT sends data with the SYN, or falls back', async () => {
    using server = await createServer({ host: '127.0.0.1', prepare: (socket) => socket.setOption(tcpFastOpen, 5) });
    using client = await createConnection({
      host: '127.0.0.1',
      port: server.getsockname().port,
      prepare: (socket) => socket.setOption(tcpFastOpenConnect, true),
    });
    await client.sendAll('early');
    const { socket } = await within('accept', server.accept());
    expect((await socket.recv(10)).toString()).to.equal('early');
    socket.close();
  });

  it('TCP_FASTOPEN_KEY holds two keys too', () => {
    using socket = open.tcp4();
    const keys = Buffer.from('0123456789abcdefFEDCBA9876543210');
    socket.setOption(tcpFastOpenKey, keys);
    expect(socket.getOption(tcpFastOpenKey)).to.deep.equal(keys);
    expect(thrown(() => socket.setOption(tcpFastOpenKey, new Uint8Array(33)))).to.include({ argument: 'value' });
    expect(thrown(() => socket.setOption(tcpFastOpenKey, 'key' as never))).to.include({ code: 'ERR_INVALID_ARG_TYPE' });
  });

  const signatures = capability({
    name: 'TCP_MD5SIG',
    remedy: 'use a kernel with CONFIG_TCP_MD5SIG',
    probe() {
      using socket = open.tcp4();
      socket.setOption(tcpMd5Sig, { host: '127.0.0.1', key: 'secret' });
    },
  });
  for (const [option, more] of [
    [tcpMd5Sig, {}],
    [tcpMd5SigExt, { prefix: 8 }],
  ] as const) {
    itIf(signatures, `${option.label} lets in only who has the key`, async () => {
      const sign = (key: string) => (socket: IpSocket) => socket.setOption(option, { host: '127.0.0.1', key, ...more });
      using server = await createServer({ host: '127.0.0.1', prepare: sign('secret') });
      const { port } = server.getsockname();
      using client = await createConnection({ host: '127.0.0.1', port, prepare: sign('secret') });
      expect(client.closed).to.equal(false);
      const error = await rejection(
        createConnection({ host: '127.0.0.1', port, prepare: sign('wrong'), timeout: 100 }),
      );
      expect(error).to.include({ code: 'ETIMEDOUT' });
    });
  }

  it('TCP_MD5SIG keys are checked', () => {
    using socket = open.tcp4();
    const host = '127.0.0.1';
    for (const [option, value, argument] of [
      [tcpMd5Sig, null, 'value'],
      [tcpMd5Sig, { host: '::1', key: 'x' }, 'value.host'],
      [tcpMd5Sig, { host, key: 'x'.repeat(81) }, 'value.key'],
      [tcpMd5Sig, { host }, 'value.key'],
      [tcpMd5SigExt, { host, key: 'x', prefix: 33 }, 'value.prefix'],
      [tcpMd5SigExt, { host, key: 'x', interface: {} }, 'value.interface'],
    ] as const) {
      expect(thrown(() => socket.setOption(option, value as never))).to.include({ argument });
    }
    const encoded = tcpMd5SigExt.encode({ host, key: 'x', prefix: 9, interface: 'lo' }, socket) as Uint8Array;
    expect([...encoded.subarray(128, 132)]).to.deep.equal([3, 9, 1, 0]);
    expect(Buffer.from(encoded).readInt32LE(132)).to.equal(if_nametoindex('lo'));
    const six = tcpMd5Sig.encode({ host: '::1', key: 'x' }, { ...info6 }) as Uint8Array;
    expect(six[23]).to.equal(1);
  });

  describeIf(mptcp, 'Multipath TCP', () => {
    it('is what both ends say it is', async () => {
      await using pair = await connection('127.0.0.1', undefined, IPPROTO_MPTCP);
      await pair.client.sendAll('x');
      expect((await pair.accepted.recv(5)).toString()).to.equal('x');
      const info = pair.client.getOption(mptcpInfo);
      expect(info.subflows).to.equal(0);
      expect(info.token).to.be.greaterThan(0);
      expect(info.sndUna <= info.writeSeq).to.equal(true);
      if (info.bytesSent !== undefined) expect(info.bytesSent).to.equal(1n);
    });

    itIf(optionOf(tcpIsMptcp, '6.9', open.tcp4), 'is what TCP_IS_MPTCP says it is', async () => {
      await using plain = await connection();
      expect(plain.client.getOption(tcpIsMptcp)).to.equal(false);
      await using multipath = await connection('127.0.0.1', undefined, IPPROTO_MPTCP);
      expect(multipath.client.getOption(tcpIsMptcp)).to.equal(true);
    });

    it('has subflows, each with its addresses and its TCP', async () => {
      await using pair = await connection('127.0.0.1', undefined, IPPROTO_MPTCP);
      const [local, remote] = [pair.client.getsockname(), pair.client.getpeername()];
      expect(pair.client.getOption(mptcpSubflowAddrs)).to.deep.equal([{ local, remote }]);
      const flows = pair.client.getOption(mptcpTcpInfo);
      expect(flows).to.have.length(1);
      expect(flows[0]?.state).to.equal(TCP_ESTABLISHED);
      expect(flows[0]?.sndMss).to.be.greaterThan(500);
    });

    it('has lists that are bounded by what there is', () => {
      using socket = open.tcp4();
      const raw = Buffer.alloc(16 + 256 + 100);
      raw.writeUInt32LE(1000, 4);
      raw.writeUInt32LE(256, 12);
      expect(mptcpSubflowAddrs.decode(raw, socket)).to.deep.equal([{ local: null, remote: null }]);
      raw.writeUInt32LE(512, 12);
      expect(mptcpTcpInfo.decode(raw, socket)).to.deep.equal([]);
      for (let length = 0; length < 20; length++) {
        expect(mptcpSubflowAddrs.decode(raw.subarray(0, length), socket)).to.deep.equal([]);
      }
    });

    it('is not what plain TCP is', async () => {
      await using pair = await connection();
      expect(thrown(() => pair.client.getOption(mptcpInfo))).to.be.instanceOf(Error);
    });

    it('has a structure that grew', () => {
      using socket = open.tcp4();
      const whole = Buffer.from(Array.from({ length: 96 }, (_, i) => i));
      expect('retransmits' in mptcpInfo.decode(whole.subarray(0, 48), socket)).to.equal(false);
      expect(mptcpInfo.decode(whole, socket)).to.include({
        subflows: 0,
        retransmits: whole.readUInt32LE(44),
        subflowsTotal: 80,
      });
    });
  });
});
