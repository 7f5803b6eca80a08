import { readFileSync } from 'node:fs';
import http from 'node:http';
import { MessageBatch, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM, Socket } from '@sock/core';
import {
  describeIf,
  FORMS,
  itIf,
  type LibraryError,
  pattern,
  perform,
  probe,
  rejection,
  runPython,
  startNode,
  startPython,
  startSocat,
  thrown,
  within,
} from '@sock/testkit';
import {
  getLocalCid,
  VMADDR_CID_ANY,
  VMADDR_CID_HOST,
  VMADDR_CID_LOCAL,
  VMADDR_PORT_ANY,
  type VsockAddress,
  type VsockInput,
  vsock,
} from '@sock/vsock';
import { expect } from 'chai';
import { connectedPair, listening } from './loopback.js';

describeIf('vsock-loopback', 'vsock', function () {
  this.timeout(30_000);

  for (const [kind, type] of [
    ['stream', SOCK_STREAM],
    ['seqpacket', SOCK_SEQPACKET],
  ] as const) {
    it(`${kind}: the kernel agrees on addresses`, async () => {
      using socket = new Socket(vsock, type);
      await socket.bind({ cid: VMADDR_CID_ANY, port: VMADDR_PORT_ANY });
      const { cid, port } = socket.getsockname();
      expect(cid).to.equal(VMADDR_CID_ANY);
      expect(port).to.be.greaterThan(1023).and.lessThan(VMADDR_PORT_ANY);
      socket.listen();
      using client = new Socket(vsock, type);
      await client.bind({ cid: VMADDR_CID_LOCAL, port: VMADDR_PORT_ANY });
      await client.connect({ cid: VMADDR_CID_LOCAL, port });
      expect(client.getpeername()).to.deep.equal({ cid: VMADDR_CID_LOCAL, port });
      const { socket: peer, address } = await socket.accept();
      expect(address).to.deep.equal(client.getsockname());
      expect(peer.getpeername()).to.deep.equal(client.getsockname());
      peer.close();
      using second = new Socket(vsock, type);
      expect(await rejection(second.bind({ cid: VMADDR_CID_ANY, port }))).to.include({ code: 'EADDRINUSE' });
    });

    it(`${kind}: a receiver slower than its sender gets everything, in order`, async () => {
      const [a, b] = await connectedPair(type);
      const pieces = Array.from({ length: 100 }, (_, i) => pattern(8192, i + 1));
      const sending = (async () => {
        for (const piece of pieces) await a.sendAll(piece);
        a.close();
      })();
      const received: Buffer[] = [];
      for await (const chunk of b.chunks(8192)) received.push(chunk);
      await within('send', sending);
      expect(Buffer.concat(received).equals(Buffer.concat(pieces))).to.equal(true);
      if (type === SOCK_SEQPACKET) expect(received.map(({ length }) => length)).to.deep.equal(Array(100).fill(8192));
      b.close();
    });

    it(`${kind}: a peer that dies is an end, not a hang`, async () => {
      using server = listening(type);
      const child = startNode(
        `
        import { Socket } from '@sock/core';
        import { vsock } from '@sock/vsock';
        const socket = new Socket(vsock, ${type});
        await socket.connect({ cid: 1, port: ${server.getsockname().port} });
        await socket.sendAll('last words');
        setInterval(() => {}, 1000);
        `,
        { input: '' },
      );
      using socket = (await within('accept', server.accept(), 20_000)).socket;
      expect((await socket.recv(100)).toString()).to.equal('last words');
      const waiting = socket.recv(100).then(
        (data) => data.length,
        ({ code }) => code,
      );
      child.kill();
      await child.outcome;
      expect(await within('recv', waiting)).to.be.oneOf([0, 'ECONNRESET']);
      const error = await rejection(
        (async () => {
          for (;;) await socket.sendAll(pattern(8192));
        })(),
      );
      expect(error.code).to.be.oneOf(['EPIPE', 'ECONNRESET', 'ENOTCONN']);
    });

    it(`${kind}: says why a connection is not made`, async () => {
      const server = listening(type);
      const address = server.getsockname();
      server.close();
      using client = new Socket(vsock, type);
      using other = new Socket(vsock, type);
      for (const error of [await rejection(client.connect(address)), thrown(() => other.connectSync(address))]) {
        expect(error).to.include({ code: 'ECONNRESET', syscall: 'connect' });
        expect(error.message).to.include(`local:${address.port}`).and.include('nobody listens');
      }
    });
  }

  for (const form of FORMS) {
    it(`${form} forms: a message that the receiver has room for in part is not received, and ends the connection`, async () => {
      const [a, b] = await connectedPair(SOCK_SEQPACKET);
      const sent: Buffer[] = [];
      let error: LibraryError | undefined;
      while (error === undefined && sent.length < 1000) {
        const message = pattern(1001 + (sent.length % 7), sent.length);
        try {
          // a null of a try form is no message
          if ((await perform(form, a, 'send', message)) !== null) sent.push(message);
        } catch (thrown) {
          error = thrown as LibraryError;
        }
      }
      expect(error).to.include({ code: 'ENOBUFS' });
      expect(error?.message).to.include('use SOCK_STREAM');
      expect((await rejection(a.send('behind it'))).code).to.equal('EPIPE');
      for (const message of sent) expect((await b.recv(2000)).equals(message)).to.equal(true);
      expect((await b.recv(2000)).length).to.equal(0);
      a.close();
      b.close();
    });
  }

  it('a batch is sent up to the message that there is room for in part only', async () => {
    const [a, b] = await connectedPair(SOCK_SEQPACKET);
    const batch = new MessageBatch<VsockAddress, VsockInput>({ count: 300, size: 1001 });
    for (let i = 0; i < batch.count; i++) batch.push(pattern(1001, i));
    const { code, transferred = 0 } = await rejection(a.sendBatch(batch));
    expect([code, transferred]).to.deep.equal(['ENOBUFS', Math.floor(262_144 / 1001)]);
    for (let i = 0; i < transferred; i++) expect((await b.recv(2000)).equals(pattern(1001, i))).to.equal(true);
    expect((await b.recv(2000)).length).to.equal(0);
    a.close();
    b.close();
  });

  it('a message longer than the buffer of the receiver says so, and the next one is sent', async () => {
    const [a, b] = await connectedPair(SOCK_SEQPACKET);
    const error = await rejection(a.send(Buffer.alloc(300_000)));
    expect(error.code).to.be.oneOf(['EMSGSIZE', 'ENOMEM']);
    expect(error.message).to.include('longer than the receiver');
    await a.send('short');
    expect((await b.recv(100)).toString()).to.equal('short');
    a.close();
    b.close();
  });

  it('says which machines it does not reach, and which addresses are not its own', async () => {
    using socket = new Socket(vsock);
    const nowhere = await rejection(socket.connect({ cid: 4711, port: 1 }));
    expect(nowhere.code).to.be.oneOf(['ENODEV', 'ETIMEDOUT', 'ENETUNREACH', 'ECONNRESET']);
    using other = new Socket(vsock);
    const bound = await rejection(other.bind({ cid: 4711, port: VMADDR_PORT_ANY }));
    expect(bound).to.include({ code: 'EADDRNOTAVAIL' });
    expect(bound.message).to.include('getLocalCid');
    const datagram = await rejection(
      (async () => {
        using one = new Socket(vsock, SOCK_DGRAM);
        await one.bind({ cid: VMADDR_CID_LOCAL, port: VMADDR_PORT_ANY });
      })(),
    );
    expect(datagram.code).to.be.oneOf(['ENODEV', 'ESOCKTNOSUPPORT', 'EADDRNOTAVAIL', 'EOPNOTSUPP']);
  });

  it('getLocalCid is what Python gets of /dev/vsock', async () => {
    const output = await runPython(`
import fcntl, socket, struct
with open('/dev/vsock') as device:
    print(struct.unpack('I', fcntl.ioctl(device, socket.IOCTL_VM_SOCKETS_GET_LOCAL_CID, bytes(4)))[0])
`);
    expect(getLocalCid()).to.equal(Number(output));
  });

  itIf(probe('root'), 'where guests are possible, this machine is their host', async () => {
    const child = startNode(
      `
      import { execFileSync } from 'node:child_process';
      execFileSync('modprobe', ['vhost_vsock']);
      import { getLocalCid, VMADDR_CID_HOST, vsock } from '@sock/vsock';
      import { Socket } from '@sock/core';
      using server = new Socket(vsock);
      server.bindSync({ cid: VMADDR_CID_HOST, port: 9000 });
      server.listen();
      using client = new Socket(vsock);
      await client.connect({ cid: VMADDR_CID_HOST, port: 9000 });
      const { socket } = await server.accept();
      await client.sendAll('to the host');
      console.log(getLocalCid(), (await socket.recv(100)).toString());
      socket.close();
      `,
      { input: '', typescript: true },
    );
    const { stdout } = await child.succeeded();
    expect(stdout).to.equal(`${VMADDR_CID_HOST} to the host\n`);
    expect(readFileSync('/proc/misc', 'latin1')).to.include('vhost-vsock');
  });

  it('carries HTTP', async () => {
    using listener = listening(SOCK_STREAM);
    const server = http.createServer((request, response) => response.end(`you asked for ${request.url}`));
    const serving = (async () => {
      for await (const { socket } of listener.connections()) server.emit('connection', socket.duplex());
    })();
    const client = new Socket(vsock);
    await client.connect(listener.getsockname());
    const body = await new Promise<string>((resolve, reject) => {
      const request = http.request({ createConnection: () => client.duplex(), path: '/vsock' });
      request.on('error', reject);
      request.on('response', async (response) => resolve((await response.toArray()).join('')));
      request.end();
    });
    expect(body).to.equal('you asked for /vsock');
    listener.close();
    await serving;
    client.close();
  });

  itIf(probe('command:socat'), 'understands socat, and the other way round', async () => {
    using server = listening(SOCK_STREAM);
    const { port } = server.getsockname();
    const sender = startSocat(['-', `VSOCK-CONNECT:1:${port}`], { input: 'from socat' });
    using socket = (await within('accept', server.accept(), 20_000)).socket;
    expect((await socket.recv(100)).toString()).to.equal('from socat');
    await socket.sendAll('to socat');
    socket.close();
    expect((await sender.outcome).stdout).to.equal('to socat');

    const listener = startSocat(['-d', '-d', 'VSOCK-LISTEN:9001', 'EXEC:cat'], { input: '' });
    await listener.says('listening');
    using client = new Socket(vsock);
    await client.connect({ cid: VMADDR_CID_LOCAL, port: 9001 });
    await client.sendAll('echo');
    expect((await client.recv(100)).toString()).to.equal('echo');
    client.close();
    expect(await listener.outcome).to.include({ code: 0 });
  });

  it('understands Python, and the other way round', async () => {
    using server = listening(SOCK_SEQPACKET);
    const python = startPython(
      `
import socket, sys
with socket.socket(socket.AF_VSOCK, socket.SOCK_SEQPACKET) as client:
    client.connect((1, int(sys.argv[1])))
    client.send(b'one')
    client.send(b'two')
    print(client.recv(100).decode(), client.getpeername())
`,
      [String(server.getsockname().port)],
      { input: '' },
    );
    using socket = (await within('accept', server.accept(), 20_000)).socket;
    expect([(await socket.recv(100)).toString(), (await socket.recv(100)).toString()]).to.deep.equal(['one', 'two']);
    await socket.send('three');
    const { stdout } = await python.succeeded();
    expect(stdout).to.equal(`three (1, ${server.getsockname().port})\n`);

    const other = startPython(
      `
import socket
with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) as server:
    server.bind((1, 9002))
    server.listen()
    print('listening', flush=True)
    with server.accept()[0] as connection:
        connection.sendall(connection.recv(100).upper())
`,
      [],
      { input: '' },
    );
    using client = new Socket(vsock);
    await other.says('listening');
    await client.connect({ cid: VMADDR_CID_LOCAL, port: 9002 });
    await client.sendAll('answer me');
    expect((await client.recv(100)).toString()).to.equal('ANSWER ME');
    expect((await client.recv(100)).length).to.equal(0);
    await other.succeeded();
  });
});
