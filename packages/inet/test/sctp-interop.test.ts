import { readU32 } from '@sock/core';
import { inet, type SctpMessage, type SctpSocket } from '@sock/inet';
import { describeIf, freeTcpPort, itIf, probe, startCommand, startPython, startSocat, within } from '@sock/testkit';
import { expect } from 'chai';
import { sctp } from './capabilities.js';
import { next, Sockets, textOf } from './sctp-sockets.js';

const HOST = '127.0.0.1';

describeIf(sctp, 'SCTP of others', function () {
  this.timeout(60_000);
  const sockets = new Sockets();
  afterEach(() => sockets[Symbol.dispose]());

  /** Connects to a program that says nothing when it listens. */
  async function reach(port: number): Promise<SctpSocket> {
    for (;;) {
      const socket = sockets.one();
      const error = await socket.connect({ host: HOST, port }).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (error === undefined) return socket;
      expect(error).to.include({ code: 'ECONNREFUSED' });
      socket.close();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  describe('Python', () => {
    it('connects to us', async () => {
      const server = sockets.server();
      await using python = startPython(
        `import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_SCTP)
s.connect(('${HOST}', int(sys.argv[1])))
s.sendall(b'from Python')
print(s.recv(100).decode())
s.close()`,
        [String(server.getsockname().port)],
      );
      const { socket } = await within('accept', server.accept(), 30_000);
      const peer = sockets.own(socket);
      expect(await next(peer, 'message')).to.deep.include({ data: Buffer.from('from Python'), stream: 0, ppid: 0 });
      await peer.sendMessage('to Python', { stream: 3 });
      expect(await within('the end', peer.recvMessage(), 30_000)).to.deep.equal({ kind: 'end' });
      expect((await python.succeeded()).stdout).to.equal('to Python\n');
    });

    it('is reached by us', async () => {
      await using python = startPython(
        `import socket
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_SCTP)
s.bind(('${HOST}', 0))
s.listen()
print(s.getsockname()[1])
c, _ = s.accept()
c.sendall(c.recv(100).upper())
c.close()`,
      );
      const client = sockets.one();
      await client.connect({ host: HOST, port: Number(await python.line()) });
      await client.sendMessage('hello');
      expect(textOf(await next(client, 'message'))).to.equal('HELLO');
      expect(await client.recvMessage()).to.deep.equal({ kind: 'end' });
      await python.succeeded();
    });
  });

  const relays = [
    {
      name: 'socat',
      echo: (port: number) => startSocat([`SCTP4-LISTEN:${port},bind=${HOST}`, 'EXEC:cat'], { input: '' }),
      connect: (port: number) => startSocat(['-', `SCTP4-CONNECT:${HOST}:${port}`]),
    },
    {
      name: 'ncat',
      echo: (port: number) =>
        startCommand('ncat', ['--sctp', '-l', HOST, String(port), '--exec', '/bin/cat'], { input: '' }),
      connect: (port: number) => startCommand('ncat', ['--sctp', HOST, String(port)]),
    },
  ];
  for (const { name, echo, connect } of relays) {
    describeIf(probe(`command:${name}`), name, () => {
      it('echoes', async () => {
        const port = await freeTcpPort();
        await using child = echo(port);
        const socket = await reach(port);
        await socket.sendMessage('to the relay', { stream: 1 });
        expect(textOf(await next(socket, 'message'))).to.equal('to the relay');
        socket.close();
        await child.outcome;
      });

      it('connects', async () => {
        const server = sockets.server();
        await using child = connect(server.getsockname().port);
        // the end of its input would be the end of the association
        child.write('from the relay');
        const peer = sockets.own((await within('accept', server.accept(), 30_000)).socket);
        expect(textOf(await next(peer, 'message'))).to.equal('from the relay');
        await peer.sendMessage('to the relay');
        await within('the answer', child.says('to the relay'), 30_000);
        peer.close();
        await child.outcome;
      });
    });
  }

  // lksctp-tools has both programs
  const lksctp = probe('command:sctp_test');

  itIf(lksctp, 'sctp_test sends to a one-to-many socket: all messages, in many streams', async () => {
    const server = sockets.many({ initMsg: { maxInStreams: 20 } });
    const { port } = server.getsockname();
    const args = ['-H', HOST, '-P', String(await freeTcpPort()), '-h', HOST, '-p', String(port), '-s'];
    await using child = startCommand('sctp_test', [...args, '-c', '4', '-x', '2', '-M', '5', '-o', '1'], {
      timeout: 60_000,
    });
    const messages: SctpMessage[] = [];
    for await (const arrival of server.arrivals({ timeout: 60_000 })) {
      if (arrival.kind === 'message') messages.push(arrival);
      if (arrival.kind === 'assocChange' && arrival.state !== 0) break;
    }
    expect((await child.outcome).code).to.equal(0);
    const sizes = new Set(messages.map(({ data }) => data.length));
    expect([...sizes]).to.include.members([1, 1000, 2000, 3000, 5000, 10_000, 15_000, 20_000, 25_000, 32_768]);
    expect(Math.max(...messages.map(({ stream }) => stream))).to.equal(4);
  });

  itIf(lksctp, 'sctp_darn prints what we send, of several streams', async () => {
    const port = await freeTcpPort();
    await using child = startCommand('stdbuf', ['-oL', 'sctp_darn', '-H', HOST, '-P', String(port), '-l']);
    const client = sockets.many();
    const address = { host: HOST, port };
    const message = async (text: string, stream: number): Promise<void> => {
      await client.sendMessage(text, { address, stream, ppid: 46 });
    };
    // until it listens, associations are refused
    for (;;) {
      await message('hello darn', 2);
      const { state } = await next(client, 'assocChange');
      if (state === 0) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await message('and more', 5);
    // it takes the last byte for the end of a line
    await within('what was sent', child.says('and mor'), 30_000);
    child.kill();
    const { stdout } = await child.outcome;
    expect(stdout).to.include('DATA(10):  hello dar');
    expect(stdout).to.include('DATA(8):  and mor');
    expect([...stdout.matchAll(/sinfo_stream (\d+)/g)].map(([, stream]) => stream)).to.deep.equal(['2', '5']);
    // as it is in the packet, which this prints in the machine's byte order
    expect(stdout).to.include(`sinfo_ppid ${readU32(Buffer.of(0, 0, 0, 46), 0)}`);
  });

  itIf(lksctp, 'sctp_darn sends what we receive, to several addresses', async () => {
    const server = sockets.many({}, HOST);
    server.bindx([{ host: '127.0.0.2' }]);
    const { port } = server.getsockname();
    const connectx = ['-c', HOST, '-c', '127.0.0.2', '-p', String(port)];
    await using child = startCommand('sctp_darn', ['-H', HOST, '-P', String(await freeTcpPort()), ...connectx, '-s'], {
      input: 'typed into darn\n',
      timeout: 60_000,
    });
    const message = await next(server, 'message');
    expect(textOf(message)).to.include('typed into darn');
    expect(inet.format(message.address as never)).to.match(/^127\.0\.0\.1:\d+$/);
    child.kill();
    await child.outcome.catch(() => {});
  });
});
