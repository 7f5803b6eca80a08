import { writeFileSync } from 'node:fs';
import { SOCK_RAW, Socket } from '@sock/core';
import {
  addLinkSync,
  deleteLinkSync,
  NETLINK_KOBJECT_UEVENT,
  netlink,
  setLinkSync,
  type Uevent,
  type UeventWatcher,
  unpackUevent,
  watchUevents,
} from '@sock/netlink';
import { capability, describeIf, itIf, probe, rejection, runNode, runs, thrown, turns, within } from '@sock/testkit';
import { expect } from 'chai';
import fc from 'fast-check';
import { veth } from './namespace.js';

const writable = capability({
  name: 'sysfs',
  remedy: 'run as root, with /sys mounted for writing',
  probe: () => writeFileSync('/sys/class/net/lo/uevent', 'change'),
});

describe('uevents', () => {
  const text =
    'add@/devices/virtual/net/x0\0ACTION=add\0DEVPATH=/devices/virtual/net/x0\0SUBSYSTEM=net\0INTERFACE=x0\0SEQNUM=4711\0';

  it('are read', () => {
    const event = unpackUevent(Buffer.from(text));
    expect(event).to.include({ action: 'add', path: '/devices/virtual/net/x0', subsystem: 'net', sequence: 4711n });
    expect({ ...event?.properties }).to.deep.equal({
      ACTION: 'add',
      DEVPATH: '/devices/virtual/net/x0',
      SUBSYSTEM: 'net',
      INTERFACE: 'x0',
      SEQNUM: '4711',
    });
  });

  it('cut off at every length they are what is left, or none', () => {
    for (let length = 0; length <= text.length; length++) {
      const event = unpackUevent(Buffer.from(text.slice(0, length)));
      if (length < 4) expect(event).to.equal(undefined);
      else expect(event?.action).to.equal('add');
    }
  });

  it('others are none', () => {
    for (const other of ['', '@', '@/path', 'libudev\0\xfe\xed', 'nothing']) {
      expect(unpackUevent(Buffer.from(other, 'latin1'))).to.equal(undefined);
    }
    const strange = unpackUevent(Buffer.from('x@y\0=1\0A\0SEQNUM=many\0__proto__=z\0'));
    expect(strange).to.include({ action: 'x', path: 'y', subsystem: '', sequence: 0n });
    expect(Object.keys(strange?.properties ?? {}).sort()).to.deep.equal(['SEQNUM', '__proto__']);
  });

  it('values may be anything without NUL', () => {
    const word = fc.string({ minLength: 1 }).filter((value) => !/[\0=@]/.test(value));
    fc.assert(
      fc.property(
        fc.dictionary(
          word,
          fc.string().filter((value) => !value.includes('\0')),
        ),
        (properties) => {
          const lines = Object.entries(properties).map(([key, value]) => `${key}=${value}\0`);
          const read = unpackUevent(Buffer.from(`change@/x\0${lines.join('')}`));
          expect({ ...read?.properties }).to.deep.equal({ ...properties });
        },
      ),
      { numRuns: runs() },
    );
  });

  /** The next event that is of interest. */
  async function next(watcher: AsyncIterator<Uevent>, interesting: (event: Uevent) => boolean): Promise<Uevent> {
    for (;;) {
      const { value, done } = await within('an event', watcher.next());
      if (done === true) throw new Error('the end');
      if (interesting(value)) return value;
    }
  }

  describeIf(writable, 'of the kernel', () => {
    it('come when somebody asks for them', async () => {
      using watcher = watchUevents();
      writeFileSync('/sys/class/net/lo/uevent', 'change');
      const event = await next(watcher, ({ path }) => path === '/devices/virtual/net/lo');
      expect(event).to.include({ action: 'change', subsystem: 'net' });
      expect(event.properties).to.include({ INTERFACE: 'lo', IFINDEX: '1', SYNTH_UUID: '0' });
      writeFileSync('/sys/class/net/lo/uevent', 'add');
      const later = await next(watcher, ({ path }) => path === '/devices/virtual/net/lo');
      expect(later.sequence > event.sequence).to.equal(true);
    });

    it('too many for the buffer are ENOBUFS once, and it goes on', async () => {
      using watcher = watchUevents({ receiveBuffer: 1 });
      for (let i = 0; i < 100; i++) writeFileSync('/sys/class/net/lo/uevent', 'change');
      expect(await rejection(watcher.next())).to.include({ code: 'ENOBUFS' });
      while (watcher.socket.tryWaitReadable()) await watcher.next();
      writeFileSync('/sys/class/net/lo/uevent', 'online');
      expect((await next(watcher, ({ path }) => path.endsWith('/lo'))).action).to.equal('online');
    });

    it('a larger buffer holds them', async () => {
      using watcher = watchUevents({ receiveBuffer: 4_000_000 });
      for (let i = 0; i < 500; i++) writeFileSync('/sys/class/net/lo/uevent', 'change');
      for (let i = 0; i < 500; i++) await next(watcher, ({ path }) => path.endsWith('/lo'));
    });

    itIf(veth, 'tell of links that come, are renamed and go', async () => {
      using watcher = watchUevents();
      addLinkSync({ kind: 'veth', name: 'sockue0', peer: { name: 'sockue1' } });
      try {
        const interfaces = (name: string) => (event: Uevent) =>
          event.subsystem === 'net' && event.properties.INTERFACE === name;
        expect((await next(watcher, interfaces('sockue0'))).action).to.equal('add');
        setLinkSync('sockue0', { name: 'sockue2' });
        expect((await next(watcher, interfaces('sockue2'))).action).to.equal('move');
      } finally {
        deleteLinkSync('sockue1');
      }
      expect(
        (await next(watcher, ({ action, path }) => action === 'remove' && path.endsWith('/sockue2'))).subsystem,
      ).to.equal('net');
    });

    itIf(probe('root'), 'what others say does not count', async () => {
      using watcher = watchUevents();
      using liar = new Socket(netlink, SOCK_RAW, NETLINK_KOBJECT_UEVENT);
      liar.bindSync({});
      liar.sendToSync('add@/devices/evil\0ACTION=add\0SEQNUM=1\0', { pid: watcher.socket.getsockname().pid });
      writeFileSync('/sys/class/net/lo/uevent', 'change');
      const { value } = await within('an event', watcher.next());
      expect(value?.path).to.not.equal('/devices/evil');
    });
  });

  it('a loop that is left, close, a signal and a timeout end the wait', async () => {
    const watcher = watchUevents();
    const waiting = watcher.next();
    await turns(2);
    watcher.close();
    expect(await within('the end', waiting)).to.deep.equal({ done: true, value: undefined });
    expect((await watcher.next()).done).to.equal(true);
    const controller = new AbortController();
    const second = watchUevents({ signal: controller.signal });
    const aborted = rejection(second.next());
    const reason = new Error('over');
    controller.abort(reason);
    expect(await within('the wait', aborted)).to.equal(reason);
    expect(second.socket.closed).to.equal(true);
    const third: UeventWatcher = watchUevents();
    expect(third[Symbol.asyncIterator]()).to.equal(third);
    expect(await third.return()).to.deep.equal({ done: true, value: undefined });
    expect(third.socket.closed).to.equal(true);
    await using fourth = watchUevents({ timeout: 1 });
    await fourth.next().catch((error) => expect(error).to.include({ code: 'ETIMEDOUT' }));
  });

  it('what it is given is checked', () => {
    expect(thrown(() => watchUevents(5 as never))).to.include({ argument: 'options' });
    expect(thrown(() => watchUevents({ receiveBuffer: -1 }))).to.include({ argument: 'options.receiveBuffer' });
  });

  it('its socket can be left out of what keeps a process alive', async () => {
    const outcome = await runNode(`
      import { watchUevents } from '@sock/netlink';
      const watcher = watchUevents();
      watcher.socket.unref();
      void watcher.next();
    `);
    expect(outcome).to.include({ code: 0, stderr: '' });
  });
});
