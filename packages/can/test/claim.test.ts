import { once } from 'node:events';
import {
  CanRawSocket,
  type ClaimAddressOptions,
  claimAddress,
  formatFrame,
  J1939_IDLE_ADDR,
  J1939_NO_ADDR,
  J1939_PGN_ADDRESS_CLAIMED,
  J1939_PGN_ADDRESS_COMMANDED,
  J1939_PGN_REQUEST,
  J1939AddressClaim,
  J1939Socket,
  packJ1939Name,
  scmJ1939DestName,
} from '@sock/can';
import { SocketError } from '@sock/core';
import { cleaner, delay, describeIf, rejection, runNode, within } from '@sock/testkit';
import { setLinkSync } from '@sock/testkit/network';
import { expect } from 'chai';
import { bus, hasJ1939 } from './bus.js';

/** Stronger, because lower. */
const STRONG = packJ1939Name({ identityNumber: 1, arbitraryAddressCapable: false });
const WEAK = packJ1939Name({ identityNumber: 2, arbitraryAddressCapable: false });
const FLEXIBLE = packJ1939Name({ identityNumber: 3, arbitraryAddressCapable: true });

const littleEndian = (name: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(name);
  return bytes;
};

describeIf(hasJ1939, 'claimAddress', function () {
  this.timeout(20_000);
  // Where the last socket closes within 250 ms of anybody's claim, the kernel (6.1) keeps the interface
  // for ever: this one closes later, and before the interface is removed, which would wait for it.
  let last: J1939Socket;
  after(async () => {
    await delay(300);
    last.close();
  });
  const can = bus();
  before(async () => {
    last = new J1939Socket();
    await last.bind({ interface: can.name, address: 0xf0 });
  });
  const own = cleaner();

  async function claim(
    name: bigint,
    address: number,
    rest: Partial<ClaimAddressOptions> = {},
  ): Promise<J1939AddressClaim> {
    return own(await claimAddress({ interface: can.name, name, address, ...rest }));
  }

  function listener(): CanRawSocket {
    const socket = own(new CanRawSocket());
    socket.bindSync({ interface: can.name });
    socket.timeout = 5000;
    return socket;
  }

  function station(address: number): J1939Socket {
    const socket = own(new J1939Socket({ broadcast: true }));
    socket.bindSync({ interface: can.name, address });
    socket.timeout = 5000;
    return socket;
  }

  const change = (one: J1939AddressClaim) =>
    within('another address', once(one, 'address') as Promise<[number | null]>).then(([address]) => address);

  it('gives an address, from which sockets of the name send and at which they receive', async () => {
    const bus = listener();
    const started = performance.now();
    const won = await claim(WEAK, 0x30);
    expect(performance.now() - started).to.be.at.least(250);
    expect(won).to.be.instanceOf(J1939AddressClaim).and.include({ address: 0x30, name: WEAK, closed: false });
    expect(formatFrame((await bus.recvFrame()).frame)).to.equal(
      `18EEFF30#${littleEndian(WEAK).toString('hex').toUpperCase()}`,
    );
    const named = own(new J1939Socket());
    await named.bind({ interface: can.name, name: WEAK });
    const other = station(0x20);
    await named.sendTo('by name', { interface: can.name, pgn: 0x1f00, address: 0x20 });
    const received = await other.recvGroup();
    expect(received.source).to.deep.equal({ address: 0x30, name: WEAK });
    await other.sendTo('to name', { interface: can.name, pgn: 0x1f00, name: WEAK });
    const back = await within('a message', named.recvMsg(100, 256));
    expect(back.data.toString()).to.equal('to name');
    expect(scmJ1939DestName.find(back.ancillary)).to.equal(WEAK);
    won.close();
    expect(won).to.include({ closed: true, address: null });
  });

  it('is defended against the weaker, who is told so', async () => {
    const strong = await claim(STRONG, 0x31);
    const bus = listener();
    const error = await rejection(claim(WEAK, 0x31));
    expect(error).to.be.instanceOf(SocketError).and.include({ code: 'EADDRINUSE' });
    expect(error.message).to.include('49');
    expect(strong.address).to.equal(0x31);
    const claims: string[] = [];
    for (let one = bus.tryRecvFrame(); one !== null; one = bus.tryRecvFrame()) {
      claims.push(formatFrame(one.frame).slice(0, 8));
    }
    // it asks, is refused, and says that it has none
    expect(claims).to.deep.equal(['18EEFF31', '18EEFF31', '18EEFFFE']);
  });

  it('is lost to the stronger, and another one taken where that is allowed', async () => {
    const flexible = await claim(FLEXIBLE, 0x32, { candidates: [0x33, 0x34] });
    const weak = await claim(WEAK, 0x35);
    const changes = Promise.all([change(flexible), change(weak)]);
    await claim(STRONG, 0x32);
    const strong = listener();
    await strong.sendFrame({ id: 0x18eeff35, extended: true, data: littleEndian(STRONG) });
    expect(await changes).to.deep.equal([0x33, null]);
    expect(flexible.address).to.equal(0x33);
    expect(weak).to.include({ address: null, closed: false });
  });

  it('names that say "arbitrary address capable" take any of 128 to 247', async () => {
    await claim(STRONG, 0x36);
    const flexible = await claim(FLEXIBLE, 0x36);
    expect(flexible.address).to.equal(128);
    await rejection(claim(FLEXIBLE + 1n, 0x36, { candidates: [] }));
  });

  it('answers who asks for it, and says so when it has none', async () => {
    const weak = await claim(WEAK, 0x37);
    const asking = station(0x20);
    const request = Buffer.alloc(3);
    request.writeUIntLE(J1939_PGN_ADDRESS_CLAIMED, 0, 3);
    const ask = { interface: can.name, pgn: J1939_PGN_REQUEST, address: J1939_NO_ADDR };
    await asking.sendTo(request, ask);
    const answer = await asking.recvGroup();
    expect(answer).to.include({ pgn: J1939_PGN_ADDRESS_CLAIMED });
    expect(answer.source).to.deep.equal({ address: 0x37, name: WEAK });
    expect(answer.data).to.deep.equal(littleEndian(WEAK));
    const lost = change(weak);
    await listener().sendFrame({ id: 0x18eeff37, extended: true, data: littleEndian(STRONG) });
    expect(await lost).to.equal(null);
    while (asking.tryRecvGroup() !== null);
    await asking.sendTo(request, ask);
    expect((await asking.recvGroup()).source.address).to.equal(J1939_IDLE_ADDR);
  });

  it('moves where it is commanded to', async () => {
    const weak = await claim(WEAK, 0x38);
    const commanding = station(0x20);
    const all = { interface: can.name, pgn: J1939_PGN_ADDRESS_COMMANDED, address: J1939_NO_ADDR };
    const moved = change(weak);
    await commanding.sendTo(Buffer.concat([littleEndian(STRONG), Buffer.of(0x10)]), all);
    await commanding.sendTo(Buffer.concat([littleEndian(WEAK), Buffer.of(0x39)]), all);
    expect(await moved).to.equal(0x39);
    expect(weak.address).to.equal(0x39);
  });

  it('malformed claims and requests are no matter', async () => {
    const weak = await claim(WEAK, 0x3a);
    const bus = listener();
    for (const data of [Buffer.alloc(0), Buffer.alloc(7), Buffer.alloc(8, 0xff)]) {
      await bus.sendFrame({ id: 0x18eeff3a, extended: true, data });
      await bus.sendFrame({ id: 0x18eaff20, extended: true, data: data.subarray(0, 2) });
    }
    await bus.sendFrame({ id: 0x18eeff10, extended: true, data: littleEndian(STRONG) });
    expect(
      await rejection(bus.recvFrame({ timeout: 100, flags: 0 }).then(() => bus.recvFrame({ timeout: 100 }))),
    ).to.have.property('code');
    expect(weak.address).to.equal(0x3a);
  });

  it('is given up by a signal, and by close', async () => {
    const reason = new Error('enough');
    expect(await rejection(claim(WEAK, 0x3b, { signal: AbortSignal.abort(reason) }))).to.equal(reason);
    const controller = new AbortController();
    const attempt = rejection(claim(WEAK, 0x3b, { signal: controller.signal }));
    setTimeout(() => controller.abort(reason), 20);
    expect(await attempt).to.equal(reason);
    const weak = await claim(WEAK, 0x3b);
    const closed = once(weak, 'close');
    weak.ref().unref().close();
    weak.close();
    await within('close', closed);
    using again = await claimAddress({ interface: can.name, name: WEAK, address: 0x3b });
    expect(again.address).to.equal(0x3b);
  });

  it('ends with an error where the interface goes down', async () => {
    const weak = await claim(WEAK, 0x3c);
    const failed = within('an error', once(weak, 'error') as Promise<[SocketError]>);
    setLinkSync(can.name, { up: false });
    const [error] = await failed;
    expect(error).to.include({ code: 'ENETDOWN' });
    expect(weak.closed).to.equal(true);
    setLinkSync(can.name, { up: true });
  });

  it('keeps no process alive', async () => {
    const program = `
      import { claimAddress } from '@sock/can';
      const claim = await claimAddress({ interface: ${JSON.stringify(can.name)}, name: 77n, address: 0x3d });
      console.log(claim.address);
    `;
    expect(await runNode(program)).to.include({ code: 0, stdout: '61\n', stderr: '' });
  });

  it('what it does not take is told', async () => {
    const table: [Partial<Record<keyof ClaimAddressOptions, unknown>>, string][] = [
      [{ name: 0n }, 'options.name'],
      [{ name: 2n ** 64n }, 'options.name'],
      [{ address: 254 }, 'options.address'],
      [{ address: '1' }, 'options.address'],
      [{ candidates: [1, 300] }, 'options.candidates[1]'],
      [{ interface: '' }, 'address.interface'],
    ];
    for (const [options, argument] of table) {
      const all = { interface: can.name, name: WEAK, address: 1, ...options } as ClaimAddressOptions;
      expect(await rejection(claimAddress(all)), argument).to.include({ argument });
    }
    expect(await rejection(claimAddress(null as unknown as ClaimAddressOptions))).to.include({ argument: 'options' });
    expect(await rejection(claim(WEAK, 1, { interface: 'nosuchcan0' }))).to.include({ code: 'ENODEV' });
  });
});
