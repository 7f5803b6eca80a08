import { SOCK_DCCP, Socket } from '@sock/core';
import {
  DCCPC_CCID2,
  DCCPQ_POLICY_PRIO,
  dccpAvailableCcids,
  dccpCcid,
  dccpGetCurMps,
  dccpQpolicyId,
  dccpQpolicyTxqlen,
  dccpRecvCsCov,
  dccpRxCcid,
  dccpSendCsCov,
  dccpServerTimewait,
  dccpService,
  dccpTxCcid,
  type InetAddress,
  type InetInput,
  IPPROTO_DCCP,
  inet,
} from '@sock/inet';
import {
  cleaner,
  describeIf,
  FORMS,
  invoke,
  probe,
  rejection,
  scaled,
  startPython,
  thrown,
  within,
} from '@sock/testkit';
import { expect } from 'chai';

type Dccp = Socket<InetAddress, InetInput>;

const HOST = '127.0.0.1';
const SERVICE = 0x53_4f_43_4b;

describeIf(probe('IPPROTO_DCCP'), 'DCCP', function () {
  this.timeout(20_000);
  const own = cleaner();

  function open(prepare: (socket: Dccp) => void = (socket) => socket.setOption(dccpService, SERVICE)): Dccp {
    const socket = own(new Socket(inet, SOCK_DCCP, IPPROTO_DCCP));
    socket.timeout = scaled(5000);
    prepare(socket);
    return socket;
  }

  function listening(prepare?: (socket: Dccp) => void): Dccp {
    const server = open(prepare);
    server.bindSync({ host: HOST });
    server.listen();
    return server;
  }

  async function pair(prepare?: (socket: Dccp) => void): Promise<[Dccp, Dccp]> {
    const server = listening(prepare);
    const client = open(prepare);
    await client.connect(server.getsockname());
    const { socket, address } = await server.accept();
    expect(address).to.deep.equal(client.getsockname());
    return [client, own(socket)];
  }

  for (const form of FORMS) {
    it(`${form} forms: packets keep their bounds, both ways`, async () => {
      const [a, b] = await pair();
      for (const [from, to] of [
        [a, b],
        [b, a],
      ] as const) {
        expect(await invoke(form, from, 'send', 'one')).to.equal(3);
        expect(await invoke(form, from, 'sendMsg', ['tw', 'o'])).to.equal(3);
        for (const text of ['one', 'two']) {
          if (form === 'try') await to.waitReadable();
          expect(String(await invoke(form, to, 'recv', 100))).to.equal(text);
        }
        expect(to.tryRecv(100)).to.equal(null);
      }
    });
  }

  it('the end is told, after what was sent before', async () => {
    const [a, b] = await pair();
    await a.send('last');
    a.close();
    expect((await b.recv(100)).toString()).to.equal('last');
    expect((await within('the end', b.recv(100), 10_000)).length).to.equal(0);
    expect(await rejection(b.send('x'))).to.include({ code: 'EPIPE' });
  });

  it('a service is asked for; another is refused, as is a port where nobody listens', async () => {
    const server = listening((socket) => socket.setOption(dccpService, [SERVICE, 7, 8]));
    expect(server.getOption(dccpService)).to.deep.equal([SERVICE, 7, 8]);
    const client = open((socket) => socket.setOption(dccpService, 8));
    await client.connect(server.getsockname());
    own((await server.accept()).socket);
    const other = open((socket) => socket.setOption(dccpService, 9));
    const refused = await rejection(other.connect(server.getsockname()));
    expect(refused).to.include({ code: 'EBADRQC', syscall: 'connect' });
    expect(refused.message).to.include('dccpService');
    const { port } = server.getsockname();
    server.close();
    expect(await rejection(open().connect({ host: HOST, port }))).to.include({ code: 'ECONNREFUSED' });
  });

  it('congestion control and checksums are agreed on', async () => {
    const [a, b] = await pair((socket) => {
      socket.setOption(dccpService, SERVICE);
      socket.setOption(dccpCcid, [DCCPC_CCID2]);
      socket.setOption(dccpSendCsCov, 3);
      socket.setOption(dccpRecvCsCov, 2);
    });
    expect(a.getOption(dccpAvailableCcids)).to.include(DCCPC_CCID2);
    for (const socket of [a, b]) {
      expect([socket.getOption(dccpTxCcid), socket.getOption(dccpRxCcid)]).to.deep.equal([DCCPC_CCID2, DCCPC_CCID2]);
      // the least that both ends agree to
      expect([socket.getOption(dccpSendCsCov), socket.getOption(dccpRecvCsCov)]).to.deep.equal([3, 3]);
    }
    const most = a.getOption(dccpGetCurMps);
    expect(await rejection(a.send(Buffer.alloc(most + 1)))).to.include({ code: 'EMSGSIZE' });
    await a.send(Buffer.alloc(most, 1));
    expect((await b.recv(most + 1)).length).to.equal(most);
    b.setOption(dccpServerTimewait, true);
    expect(b.getOption(dccpServerTimewait)).to.equal(true);
    expect(thrown(() => a.setOption(dccpServerTimewait, true))).to.include({ code: 'EOPNOTSUPP' });
  });

  it('packets can have a priority, where the queue goes by it', async () => {
    const ancillary = [dccpQpolicyId.message.create(7)];
    const [plain] = await pair();
    expect(await rejection(plain.sendMsg(['x'], { ancillary }))).to.include({ code: 'EINVAL' });
    const [a, b] = await pair((socket) => {
      socket.setOption(dccpService, SERVICE);
      socket.setOption(dccpQpolicyId, DCCPQ_POLICY_PRIO);
      socket.setOption(dccpQpolicyTxqlen, 9);
    });
    expect([a.getOption(dccpQpolicyId), a.getOption(dccpQpolicyTxqlen)]).to.deep.equal([DCCPQ_POLICY_PRIO, 9]);
    await a.sendMsg(['urgent'], { ancillary });
    expect((await b.recv(100)).toString()).to.equal('urgent');
    expect(dccpQpolicyId.message.find(ancillary)).to.equal(7);
  });

  it('values that are none are refused before the kernel is asked', () => {
    const socket = open();
    const bad: [() => void, string][] = [
      [() => socket.setOption(dccpService, -1), 'value'],
      [() => socket.setOption(dccpService, [1, 2 ** 32]), 'value[1]'],
      [() => socket.setOption(dccpService, 'SOCK' as never), 'value'],
      [() => socket.setOption(dccpCcid, [256]), 'value[0]'],
      [() => socket.setOption(dccpTxCcid, 2 as never), 'value'],
      [() => socket.setOption(dccpSendCsCov, 16), 'value'],
      [() => socket.setOption(dccpQpolicyTxqlen, -1), 'value'],
      [() => dccpQpolicyId.message.create(2 ** 32), 'value'],
    ];
    for (const [call, argument] of bad) expect(thrown(call)).to.include({ argument });
  });

  // Python has no names for the options: 269 is SOL_DCCP, 2 DCCP_SOCKOPT_SERVICE
  const python = `
import socket, struct, sys
s = socket.socket(socket.AF_INET, ${SOCK_DCCP}, ${IPPROTO_DCCP})
s.settimeout(60)
s.setsockopt(269, 2, struct.pack('>I', ${SERVICE}))
`;

  it('Python connects to us', async () => {
    const server = listening();
    await using child = startPython(
      `${python}
s.connect(('${HOST}', int(sys.argv[1])))
s.send(b'from Python')
print(s.recv(100).decode())`,
      [String(server.getsockname().port)],
    );
    const peer = own((await server.accept()).socket);
    expect((await peer.recv(100)).toString()).to.equal('from Python');
    await peer.send('to Python');
    expect((await child.succeeded()).stdout).to.equal('to Python\n');
  });

  it('Python is reached by us', async () => {
    await using child = startPython(`${python}
s.bind(('${HOST}', 0))
s.listen()
print(s.getsockname()[1], flush=True)
c, _ = s.accept()
c.settimeout(60)
c.send(c.recv(100).upper())
c.recv(100)`);
    const client = open();
    await client.connect({ host: HOST, port: Number(await child.line()) });
    await client.send('hello');
    expect((await client.recv(100)).toString()).to.equal('HELLO');
    client.close();
    await child.succeeded();
  });
});
