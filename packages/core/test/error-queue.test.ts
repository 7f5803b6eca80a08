import {
  EXTENDED_ERROR_SIZE,
  type ExtendedError,
  MessageBatch,
  MSG_ERRQUEUE,
  SO_EE_ORIGIN_ICMP,
  type Socket,
  SocketTimeoutError,
  soError,
  unpackExtendedError,
} from '@sock/core';
import { delay, rejection, thrown, turns, within } from '@sock/testkit';
import { expect } from 'chai';
import { type HostPort, refusingPort, udp } from './support/families.js';
import { Cleanup } from './support/operations.js';

// of ip(7), which the core does not name
const IPPROTO_IP = 0;
const IP_RECVERR = 11;
const flags = MSG_ERRQUEUE;

describe('the error queue', () => {
  const stack = new Cleanup();
  let socket: Socket<HostPort>;
  let refusing: HostPort;
  beforeEach(() => {
    socket = stack.use(udp());
    socket.setsockopt(IPPROTO_IP, IP_RECVERR, 1);
    refusing = refusingPort();
  });
  afterEach(() => stack[Symbol.dispose]());

  /** Sends a datagram that nobody takes, and takes the error away that recv would report. */
  async function refused(text: string): Promise<void> {
    await socket.sendTo(text, refusing);
    await delay(10);
    expect(socket.getOption(soError)).to.equal('ECONNREFUSED');
  }

  it('is received with MSG_ERRQUEUE: the datagram, where it went, and what became of it', async () => {
    await refused('lost');
    const { data, address, ancillary, flags: received } = await within('recvMsg', socket.recvMsg(100, 512, { flags }));
    expect(String(data)).to.equal('lost');
    expect(address).to.deep.equal(refusing);
    expect(received & MSG_ERRQUEUE).to.equal(MSG_ERRQUEUE);
    const [item] = ancillary;
    expect(item).to.include({ level: IPPROTO_IP, type: IP_RECVERR });
    const expected: ExtendedError = {
      code: 'ECONNREFUSED',
      errno: -111,
      origin: SO_EE_ORIGIN_ICMP,
      type: 3, // destination unreachable
      subcode: 3, // the port
      info: 0,
      data: 0,
    };
    expect(unpackExtendedError(item?.data ?? new Uint8Array())).to.deep.equal(expected);
    expect(ancillary.length).to.equal(1);
  });

  it('an entry that is cut off is none, and ENOMSG is no error', () => {
    const data = new Uint8Array(EXTENDED_ERROR_SIZE);
    for (const errno of [0, 42]) {
      data[0] = errno;
      expect(unpackExtendedError(data)).to.include({ code: null, errno: 0 });
    }
    data[0] = 70;
    expect(unpackExtendedError(data)).to.include({ code: 'ECOMM', errno: -70 });
    for (let length = 0; length < data.length; length++) {
      expect(unpackExtendedError(data.subarray(0, length))).to.equal(undefined);
    }
  });

  it('an empty queue is null, EAGAIN, or waited for', async () => {
    expect(socket.tryRecvMsg(100, 512, { flags })).to.equal(null);
    expect((await rejection(socket.recvMsg(100, 512, { flags, timeout: 0 }))).code).to.equal('EAGAIN');
    expect(thrown(() => socket.recvMsgSync(100, 512, { flags, timeout: 20 }))).to.be.instanceOf(SocketTimeoutError);
    expect(await rejection(socket.recvMsg(100, 512, { flags, timeout: 20 }))).to.be.instanceOf(SocketTimeoutError);
    const waiting = socket.recvMsg(100, 512, { flags });
    await turns(3);
    await socket.sendTo('lost', refusing);
    expect(String((await within('recvMsg', waiting)).data)).to.equal('lost');
  });

  it('waiting for it is not ended by data, and waiting for data not by an error', async () => {
    const errors = socket.recvMsg(100, 512, { flags }).then(({ data }) => `error of ${String(data)}`);
    const other = stack.use(udp());
    await other.sendTo('data', socket.getsockname());
    expect(await Promise.race([errors, delay(30)])).to.equal(undefined);
    expect(String((await socket.recvFrom(100)).data)).to.equal('data');
    await socket.sendTo('lost', refusing);
    expect(await within('errors', errors)).to.equal('error of lost');
    await refused('lost too');
    const data = socket.recvFrom(100).then((received) => String(received.data));
    expect(await Promise.race([data, delay(30)])).to.equal(undefined);
    await other.sendTo('more', socket.getsockname());
    expect(await within('data', data)).to.equal('more');
    expect(String(socket.tryRecvMsg(100, 512, { flags })?.data)).to.equal('lost too');
  });

  it('blocking waits are not ended by the other kind either', async () => {
    const other = stack.use(udp());
    await other.sendTo('data', socket.getsockname());
    expect(thrown(() => socket.recvMsgSync(100, 512, { flags, timeout: 40 })).code).to.equal('ETIMEDOUT');
    expect(String(socket.recvSync(100))).to.equal('data');
    await refused('lost');
    expect(thrown(() => socket.recvSync(100, { timeout: 40 })).code).to.equal('ETIMEDOUT');
    expect(String(socket.recvMsgSync(100, 512, { flags }).data)).to.equal('lost');
  });

  it('several errors come in order, and batches take them too', async () => {
    for (const text of ['one', 'two', 'three']) await refused(text);
    expect(String(socket.recvSync(100, { flags }))).to.equal('one');
    const batch = new MessageBatch<HostPort>({ count: 8, size: 100, ancillarySize: 512 });
    expect(await socket.recvBatch(batch, { flags })).to.equal(2);
    expect([String(batch.data(0)), String(batch.data(1))]).to.deep.equal(['two', 'three']);
    expect(batch.flags(0) & MSG_ERRQUEUE).to.equal(MSG_ERRQUEUE);
    expect(batch.address(0)).to.deep.equal(refusing);
    const waiting = socket.recvBatch(batch, { flags });
    await turns(3);
    await socket.sendTo('four', refusing);
    expect(await within('recvBatch', waiting)).to.equal(1);
    expect(String(batch.data(0))).to.equal('four');
  });

  it('without it the error is of the next operation', async () => {
    const plain = stack.use(udp());
    plain.connectSync(refusing);
    plain.sendSync('lost');
    const error = await within('recv', rejection(plain.recv(100)));
    expect(error).to.include({ code: 'ECONNREFUSED', syscall: 'recv', message: 'recv ECONNREFUSED' });
    plain.sendSync('lost');
    expect(thrown(() => plain.recvSync(100)).code).to.equal('ECONNREFUSED');
  });
});
