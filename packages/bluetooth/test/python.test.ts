import {
  type L2capAddress,
  type L2capInput,
  l2cap,
  type RfcommAddress,
  type RfcommInput,
  rfcomm,
} from '@sock/bluetooth';
import { type AddressFamily, Socket, type SocketError } from '@sock/core';
import { type Child, cleaner, describeIf, python, startPython, within } from '@sock/testkit';
import { expect } from 'chai';
import { controllers, freshPsm, hasBtvirt, hasRfcomm } from './controllers.js';

describeIf([...hasBtvirt, hasRfcomm, python], 'Python', function () {
  this.timeout(20_000);
  const air = controllers();
  const own = cleaner();

  /** A program of Python that has the socket `s`, bound on the second controller. */
  function python(type: string, bound: number, source: string): Child {
    const program = `
import socket
s = socket.socket(socket.AF_BLUETOOTH, socket.${type})
s.settimeout(60)
s.bind(('${air.second.address}', ${bound}))
${source}`;
    return own(startPython(program, [], { timeout: 30_000 }));
  }

  let channel = 4;
  const ACCEPT = `
s.listen(1)
print('listening')
c, peer = s.accept()
print(peer)
c.settimeout(60)
c.sendall(c.recv(100).upper())
try:
    print('end', len(c.recv(100)))
except ConnectionResetError:
    print('end reset')`;

  function connecting(port: number): string {
    return `
s.connect(('${air.first.address}', ${port}))
s.sendall(b'from Python')
print(s.recv(100).decode())
s.close()`;
  }

  const PROTOCOLS = [
    {
      name: 'L2CAP',
      family: l2cap as AddressFamily<L2capAddress | RfcommAddress, L2capInput | RfcommInput>,
      type: 'SOCK_SEQPACKET, socket.BTPROTO_L2CAP',
      member: 'psm',
      fresh: freshPsm,
      end: '0',
    },
    {
      name: 'RFCOMM',
      family: rfcomm as AddressFamily<L2capAddress | RfcommAddress, L2capInput | RfcommInput>,
      type: 'SOCK_STREAM, socket.BTPROTO_RFCOMM',
      member: 'channel',
      fresh: () => ++channel,
      // the end of a stream of RFCOMM is told as a reset, once
      end: 'reset',
    },
  ];

  for (const { name, family, type, member, fresh, end } of PROTOCOLS) {
    it(`accepts a connection of ours over ${name}`, async () => {
      const port = fresh();
      const child = python(type, port, ACCEPT);
      await child.says('listening');
      using client = new Socket(family);
      await client.bind({ address: air.first.address });
      await client.connect({ address: air.second.address, [member]: port });
      await client.sendAll('hello');
      expect((await within('the answer', client.recv(100))).toString()).to.equal('HELLO');
      client.close();
      const { stdout } = await child.succeeded();
      expect(stdout).to.include(`('${air.first.address}', `).and.to.include(`end ${end}`);
    });

    it(`connects to us over ${name}`, async () => {
      using server = new Socket(family);
      const port = fresh();
      await server.bind({ address: air.first.address, [member]: port });
      server.listen(1);
      const child = python(type, 0, connecting(port));
      const { socket: accepted, address } = await within('a connection', server.accept(), 30_000);
      using socket = accepted;
      expect((address as L2capAddress).address).to.equal(air.second.address);
      expect((await within('data', socket.recv(100))).toString()).to.equal('from Python');
      await socket.sendAll('to Python');
      const last = await within('the end', socket.recv(100)).then(
        ({ length }) => String(length),
        ({ code }: SocketError) => (code === 'ECONNRESET' ? 'reset' : code),
      );
      expect(last).to.equal(end);
      expect((await child.succeeded()).stdout).to.equal('to Python\n');
    });
  }
});
