import {
  ACL_LINK,
  BT_MODE_EXT_FLOWCTL,
  BT_MODE_LE_FLOWCTL,
  BT_SECURITY_LOW,
  btDeferSetup,
  btMode,
  btPhy,
  btRcvMtu,
  btSecurity,
  btSndMtu,
  hci,
  hciConnections,
  L2CAP_MODE_ERTM,
  L2CAP_MODE_STREAMING,
  l2cap,
  l2capConninfo,
  l2capOptions,
  MgmtSocket,
  mgmtSetAdvertising,
  mgmtSetLe,
  rfcomm,
  rfcommConninfo,
  sco,
} from '@sock/bluetooth';
import { type AddressFamily, SOCK_DGRAM, SOCK_STREAM, Socket } from '@sock/core';
import { type Child, describeIf, pattern, probe, rejection, scaled, startCommand, within } from '@sock/testkit';
import { expect } from 'chai';
import { controllers, freshPsm, hasBtvirt, hasRfcomm, l2capPair, parameter } from './controllers.js';

/** Their output is to come as they write it, though it goes into a pipe. */
const tool = (command: string, args: readonly string[]): Child => startCommand('stdbuf', ['-oL', command, ...args]);

describeIf([...hasBtvirt, hasRfcomm], 'between two controllers', function () {
  this.timeout(20_000);
  const air = controllers();

  describe('the kernel agrees with the codec', () => {
    const back = <A, I>(family: AddressFamily<A, I>, address: I): A => {
      using socket = new Socket(family);
      socket.bindSync(address);
      return socket.getsockname();
    };

    it('about what a socket is bound to', () => {
      const { address, device } = air.first;
      expect(back(l2cap, { address, psm: 0x1001 })).to.deep.include({ address, psm: 0x1001, addressType: 'bredr' });
      expect(back(l2cap, { address, psm: 0x81, addressType: 'public' })).to.include({
        psm: 0x81,
        addressType: 'public',
      });
      expect(back(l2cap, {}).psm).to.be.within(0x1001, 0x10ff);
      expect(back(rfcomm, { address, channel: 7 })).to.deep.equal({ address, channel: 7 });
      expect(back(sco, { address })).to.deep.equal({ address });
      expect(back(hci, { device })).to.deep.equal({ device, channel: 'raw' });
    });

    it('about types: errors say what is wrong', () => {
      expect(() => new Socket(rfcomm, SOCK_DGRAM)).to.throw(/BTPROTO_RFCOMM has SOCK_STREAM and SOCK_RAW only/);
      expect(() => new Socket(sco, SOCK_STREAM)).to.throw(/BTPROTO_SCO has SOCK_SEQPACKET only/);
      expect(() => new Socket(l2cap, undefined, 7)).to.throw(/AF_BLUETOOTH has the protocols/);
      using socket = new Socket(l2cap);
      expect(() => socket.bindSync({ psm: 0x1002 })).to.throw(/EINVAL .*odd/);
      using adopted = Socket.adopt(new Socket(rfcomm).detach(), rfcomm);
      expect(adopted).to.include({ type: SOCK_STREAM, protocol: 3 });
    });
  });

  describe('L2CAP', () => {
    it('messages go to and fro', async () => {
      const [a, b] = await l2capPair(air);
      await a.send('hello');
      expect((await b.recv(100)).toString()).to.equal('hello');
      await b.send('back');
      expect((await a.recv(100)).toString()).to.equal('back');
      expect(a.getpeername()).to.include({ address: air.second.address, addressType: 'bredr' });
      expect(a.getOption(btSecurity)).to.deep.equal({ level: BT_SECURITY_LOW, keySize: 0 });
      const { handle } = a.getOption(l2capConninfo);
      const link = hciConnections(air.first.device).find((one) => one.handle === handle);
      expect(link).to.include({ address: air.second.address, type: ACL_LINK, outgoing: true, state: 1 });
      expect(a.getOption(btPhy)).to.be.above(0);
      expect(a.getOption(l2capOptions)).to.include({ omtu: 672, imtu: 672, mode: 0 });
      a.close();
      expect(await b.recv(100)).to.have.length(0);
      b.close();
    });

    it('a message longer than the peer takes is refused', async () => {
      const [a, b] = await l2capPair(air);
      expect(await rejection(a.send(Buffer.alloc(673)))).to.include({ code: 'EMSGSIZE' });
      await a.send(pattern(672));
      expect((await b.recv(1000)).equals(pattern(672))).to.equal(true);
      a.close();
      b.close();
    });

    it('the modes of BR/EDR carry a stream', async () => {
      for (const mode of [L2CAP_MODE_ERTM, L2CAP_MODE_STREAMING]) {
        const [a, b] = await l2capPair(air, {
          type: SOCK_STREAM,
          setUp: (socket) => socket.setOption(l2capOptions, { mode }),
        });
        expect(a.getOption(l2capOptions).mode).to.equal(mode);
        const sent = pattern(1500, mode);
        // a stream, but in pieces that the peer takes
        for (let at = 0; at < sent.length; at += 500) await a.sendAll(sent.subarray(at, at + 500));
        expect(await rejection(a.send(Buffer.alloc(673)))).to.include({ code: 'EMSGSIZE' });
        const parts: Buffer[] = [];
        while (Buffer.concat(parts).length < sent.length) parts.push(await within('data', b.recv(4096)));
        expect(Buffer.concat(parts).equals(sent)).to.equal(true);
        a.close();
        b.close();
      }
    });

    it('messages without a connection', async () => {
      using receiver = new Socket(l2cap, SOCK_DGRAM);
      using sender = new Socket(l2cap, SOCK_DGRAM);
      const address = { address: air.second.address, psm: freshPsm() };
      await receiver.bind(address);
      await sender.bind({ address: air.first.address });
      await sender.connect(address);
      // the link is made when it is needed, and what is sent before is lost
      const heard = receiver.recv(100);
      let done = false;
      heard.then(() => {
        done = true;
      });
      while (!done) {
        await sender.send('cl').catch(() => {});
        await Promise.race([heard, new Promise((resolve) => setTimeout(resolve, 50))]);
      }
      expect((await heard).toString()).to.equal('cl');
    });

    it('BT_DEFER_SETUP: a connection is accepted by the first read', async () => {
      using server = new Socket(l2cap);
      const address = { address: air.second.address, psm: freshPsm() };
      await server.bind(address);
      server.setOption(btDeferSetup, true);
      expect(server.getOption(btDeferSetup)).to.equal(true);
      server.listen(1);
      using client = new Socket(l2cap);
      const connected = client.connect(address);
      const { socket } = await within('a connection', server.accept());
      expect(socket.tryRecv(1)).to.have.length(0);
      await within('the peer', connected);
      await client.send('now');
      expect((await socket.recv(100)).toString()).to.equal('now');
      socket.close();
      // closed unread, it is refused
      using second = new Socket(l2cap);
      const refused = rejection(second.connect(address));
      (await within('a connection', server.accept())).socket.close();
      expect((await within('refusal', refused)).code).to.match(/^ECONN/);
    });

    it('nobody there, and no such service', async () => {
      using nobody = new Socket(l2cap);
      await nobody.bind({ address: air.first.address });
      const silent = await within(
        'an error',
        rejection(nobody.connect({ address: '00:AA:01:09:09:09', psm: 0x1001 })),
        20_000,
      );
      expect(silent).to.include({ code: 'EHOSTDOWN', syscall: 'connect' });
      expect(silent.message).to.match(/^connect EHOSTDOWN 00:AA:01:09:09:09 psm 4097: the device does not answer/);
      using refused = new Socket(l2cap);
      await refused.bind({ address: air.first.address });
      expect(await rejection(refused.connect({ address: air.second.address, psm: 0x1e01 }))).to.include({
        code: 'ECONNREFUSED',
      });
      using lost = new Socket(l2cap);
      const none = await rejection(
        lost
          .bind({ address: '00:11:22:33:44:55', psm: 0x1001 })
          .then(() => lost.connect({ address: air.second.address, psm: 0x1001 })),
      );
      expect(none).to.include({ code: 'EHOSTUNREACH' });
    });
  });

  describe('L2CAP of LE', () => {
    before(async function (this: Mocha.Context) {
      this.timeout(scaled(20_000));
      using mgmt = new MgmtSocket();
      for (const { device } of [air.first, air.second]) await mgmt.command(mgmtSetLe, true, { device });
      await mgmt.command(mgmtSetAdvertising, 2, { device: air.second.device });
    });

    const lePair = async (psm: number, type?: number, mode?: number) => {
      using server = new Socket(l2cap, type);
      const address = { address: air.second.address, psm, addressType: 'public' } as const;
      await server.bind(address);
      const client = new Socket(l2cap, type);
      await client.bind({ address: air.first.address, addressType: 'public' });
      for (const socket of [server, client]) {
        socket.setOption(btRcvMtu, 200);
        if (mode !== undefined) socket.setOption(btMode, mode);
      }
      server.listen(1);
      const [{ socket }] = await within(
        'a connection',
        Promise.all([server.accept(), client.connect(address)]),
        15_000,
      );
      return [client, socket] as const;
    };

    it('credits carry messages and streams', async () => {
      for (const type of [undefined, SOCK_STREAM]) {
        const [a, b] = await lePair(0x80 + (type ?? 0), type);
        expect(a.getpeername()).to.include({ address: air.second.address, addressType: 'public' });
        expect(a.getOption(btSndMtu)).to.equal(200);
        expect(b.getOption(btRcvMtu)).to.equal(200);
        expect(await rejection(a.send(Buffer.alloc(201)))).to.include({ code: 'EMSGSIZE' });
        for (let i = 0; i < 10; i++) {
          const sent = pattern(200, i);
          await within('room', a.send(sent));
          expect((await within('data', b.recv(500))).equals(sent)).to.equal(true);
        }
        await b.send('back');
        expect((await a.recv(100)).toString()).to.equal('back');
        a.close();
        if (type === undefined) expect(await within('the end', b.recv(1))).to.have.length(0);
        else expect(await within('the end', rejection(b.recv(1)))).to.include({ code: 'ECONNRESET' });
        b.close();
      }
    });

    it('enhanced credits, where the kernel has them switched on', async () => {
      using switched = parameter('enable_ecred', 'Y');
      expect(switched.value).to.equal('Y');
      const [a, b] = await lePair(0x90, undefined, BT_MODE_EXT_FLOWCTL);
      expect(a.getOption(btMode)).to.equal(BT_MODE_EXT_FLOWCTL);
      await a.send('enhanced');
      expect((await within('data', b.recv(100))).toString()).to.equal('enhanced');
      a.close();
      b.close();
      const [c, d] = await lePair(0x91);
      expect(c.getOption(btMode)).to.equal(BT_MODE_LE_FLOWCTL);
      c.close();
      d.close();
    });
  });

  describe('RFCOMM', () => {
    it('a stream to a channel', async () => {
      using server = new Socket(rfcomm);
      await server.bind({ address: air.second.address, channel: 5 });
      server.listen(1);
      using client = new Socket(rfcomm);
      await client.bind({ address: air.first.address });
      await client.connect({ address: air.second.address, channel: 5 });
      const { socket, address } = await server.accept();
      using peer = socket;
      expect(address).to.include({ address: air.first.address });
      expect(client.getpeername()).to.deep.equal({ address: air.second.address, channel: 5 });
      const sent = pattern(2000);
      const sending = client.sendAll(sent);
      const parts: Buffer[] = [];
      while (Buffer.concat(parts).length < sent.length) parts.push(await within('data', peer.recv(4096)));
      await sending;
      expect(Buffer.concat(parts).equals(sent)).to.equal(true);
      expect(client.getOption(rfcommConninfo).handle).to.equal(peer.getOption(rfcommConninfo).handle);
      client.close();
      // so the kernel tells of every end of a stream, once
      expect(await within('the end', rejection(peer.recv(1)))).to.include({ code: 'ECONNRESET' });
      // of itself it would say EAGAIN from now on, and poll(2) a hang-up
      expect(await within('the end again', peer.recv(1))).to.have.length(0);
      expect(peer.recvSync(1)).to.have.length(0);
    });

    it('a channel that nobody listens on', async () => {
      using client = new Socket(rfcomm);
      await client.bind({ address: air.first.address });
      const error = await within(
        'an error',
        rejection(client.connect({ address: air.second.address, channel: 9 })),
        15_000,
      );
      expect(error).to.include({ code: 'ECONNREFUSED' });
    });
  });

  describeIf(probe('command:l2test'), 'BlueZ', () => {
    it('l2test receives what is sent', async () => {
      await using test = tool('l2test', ['-d', '-i', `hci${air.second.device}`, '-P', '4113', '-b', '64']);
      await test.says('Waiting for connection on psm 4113');
      using client = new Socket(l2cap);
      await client.bind({ address: air.first.address });
      await client.connect({ address: air.second.address, psm: 4113 });
      await test.says(`Connected to ${air.first.address}`);
      await client.send('a message of twenty');
      await test.says('61 20 6d 65 73 73 61 67');
    });

    it('l2test sends what is received', async () => {
      using server = new Socket(l2cap);
      await server.bind({ address: air.second.address, psm: 4115 });
      server.listen(1);
      await using test = tool('l2test', [
        '-s',
        '-i',
        `hci${air.first.device}`,
        '-P',
        '4115',
        '-b',
        '48',
        '-N',
        '3',
        air.second.address,
      ]);
      const { socket } = await within('a connection', server.accept(), 10_000);
      const messages: Buffer[] = [];
      while (messages.length < 3) {
        const data = await within('data', socket.recv(100));
        // it closes at once, and the kernel tells of that before it gives what came before
        if (data.length > 0) messages.push(data);
      }
      // a sequence number, a length, a pattern
      expect(messages.map((data) => [data.length, data.readUInt32LE(0), data.readUInt16LE(4)])).to.deep.equal([
        [48, 0, 48],
        [48, 1, 48],
        [48, 2, 48],
      ]);
      socket.close();
      test.kill();
    });

    it('l2ping is answered beside what this library sends', async () => {
      const { stdout } = await tool('l2ping', ['-i', `hci${air.first.device}`, '-c', '2', air.second.address]).outcome;
      expect(stdout).to.match(/2 sent, 2 received, 0% loss/);
    });

    it('rctest receives what is sent, and sends what is received', async () => {
      await using receiver = tool('rctest', ['-d', '-i', air.second.address, '-P', '6']);
      await receiver.says('Waiting for connection on channel 6');
      using client = new Socket(rfcomm);
      await client.bind({ address: air.first.address });
      await client.connect({ address: air.second.address, channel: 6 });
      await receiver.says(`Connect from ${air.first.address}`);
      await client.sendAll('over rfcomm');
      await receiver.says('Received 11 bytes');
      client.close();

      using server = new Socket(rfcomm);
      await server.bind({ address: air.second.address, channel: 8 });
      server.listen(1);
      await using sender = tool('rctest', [
        '-s',
        '-i',
        air.first.address,
        '-P',
        '8',
        '-b',
        '40',
        '-N',
        '2',
        air.second.address,
      ]);
      const { socket } = await within('a connection', server.accept(), 10_000);
      expect((await within('data', socket.recv(40))).length).to.be.within(1, 40);
      socket.close();
      sender.kill();
    });
  });
});
