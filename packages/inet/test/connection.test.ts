import {
  AddressInfoError,
  getDefaultTimeout,
  SOCK_DGRAM,
  SOCK_STREAM,
  Socket,
  SocketTimeoutError,
  setDefaultTimeout,
} from '@sock/core';
import {
  type ConnectionOptions,
  createConnection,
  createConnectionSync,
  createServer,
  type IpSocket,
  inet,
  inet6,
  tcpNoDelay,
} from '@sock/inet';
import {
  describeIf,
  freeTcpPort,
  itIf,
  openDescriptors,
  probe,
  rejection,
  scaled,
  settled,
  startNode,
  within,
} from '@sock/testkit';
import { expect } from 'chai';
import { inNamespace, links } from './namespace.js';

/** Both forms, as promises. */
const forms = {
  promise: createConnection,
  Sync: async ({ connectionAttemptDelay: _, signal: __, ...options }: ConnectionOptions) =>
    createConnectionSync(options),
};

/** A port whose connections are never accepted, and no further ones begun: connecting to it hangs. */
async function hangingPort() {
  const server = await createServer({ host: '127.0.0.1', backlog: 0 });
  const { port } = server.getsockname();
  const waiting: IpSocket[] = [];
  // the queue holds one more than the backlog says
  for (let i = 0; i < 2; i++) {
    const socket: IpSocket = new Socket(inet, SOCK_STREAM);
    socket.tryConnect({ host: '127.0.0.1', port });
    waiting.push(socket);
  }
  return {
    port,
    [Symbol.dispose]() {
      for (const socket of [server, ...waiting]) socket.close();
    },
  };
}

for (const form of ['promise', 'Sync'] as const) {
  const connect = forms[form];

  describe(`createConnection, ${form} form`, () => {
    it('connects to an address', async () => {
      using server = await createServer({ host: '127.0.0.1' });
      using socket = await connect({ host: '127.0.0.1', port: server.getsockname().port });
      expect(socket.getpeername()).to.deep.equal(server.getsockname());
      expect(socket.family).to.equal(inet);
      expect(socket.timeout).to.equal(null);
    });

    it('connects to a name, by default to this machine', async () => {
      using server = await createServer({ host: '127.0.0.1' });
      const { port } = server.getsockname();
      for (const options of [{ port }, { host: 'localhost', port }]) {
        using socket = await connect(options);
        expect(socket.getpeername().port).to.equal(port);
      }
    });

    itIf(probe('AF_INET6'), 'connects over IPv6', async () => {
      using server = await createServer({ host: '::1' });
      using socket = await connect({ host: '::1', port: server.getsockname().port, family: inet6 });
      expect(socket.getpeername()).to.deep.equal(server.getsockname());
      expect(socket.family).to.equal(inet6);
    });

    it('connects from an address', async () => {
      using server = await createServer({ host: '127.0.0.1' });
      const { port } = server.getsockname();
      using socket = await connect({ port, localAddress: { host: '127.0.0.7' } });
      expect(socket.getsockname().host).to.equal('127.0.0.7');
      const from = await freeTcpPort();
      using other = await connect({ port, localAddress: { port: from }, family: inet });
      expect(other.getsockname().port).to.equal(from);
    });

    it('connects datagram sockets too', async () => {
      using receiver = new Socket(inet, SOCK_DGRAM);
      receiver.tryBind({ host: '127.0.0.1' });
      using socket = await connect({ host: '127.0.0.1', port: receiver.getsockname().port, type: SOCK_DGRAM });
      await socket.send('x');
      expect((await receiver.recv(5)).toString()).to.equal('x');
    });

    it('lets options be set before it connects', async () => {
      using server = await createServer({ host: '127.0.0.1' });
      let before: boolean | undefined;
      using socket = await connect({
        port: server.getsockname().port,
        family: inet,
        prepare(fresh) {
          fresh.setOption(tcpNoDelay, true);
          before = fresh.getsockname().port === 0;
        },
      });
      expect(before).to.equal(true);
      expect(socket.getOption(tcpNoDelay)).to.equal(true);
    });

    it('closes what it opened where preparing fails', async () => {
      const before = openDescriptors();
      const reason = new Error('not prepared');
      const prepare = () => {
        throw reason;
      };
      expect(await rejection(connect({ host: '127.0.0.1', port: 9, prepare }))).to.equal(reason);
      expect(await settled(before)).to.deep.equal([]);
    });

    it('fails as the last address did', async () => {
      const port = await freeTcpPort();
      const error = await rejection(connect({ host: '127.0.0.1', port }));
      expect(error).to.include({ code: 'ECONNREFUSED', syscall: 'connect' });
      expect(error.address).to.deep.equal({ host: '127.0.0.1', port });
    });

    it('fails with all errors where asked to', async () => {
      const port = await freeTcpPort();
      const error = await rejection(connect({ host: '127.0.0.1', port, allErrors: true }));
      expect(error).to.be.instanceOf(AggregateError);
      const { errors, message } = error as AggregateError;
      expect(errors).to.have.lengthOf(1);
      expect(errors[0]).to.include({ code: 'ECONNREFUSED' });
      expect(message).to.include(`127.0.0.1:${port}`);
    });

    it('fails where a name is unknown', async () => {
      const error = await rejection(connect({ host: 'no such name', port: 9 }));
      expect(error).to.be.instanceOf(AddressInfoError);
      expect(await rejection(connect({ host: '127.0.0.1', family: inet6, port: 9 }))).to.be.instanceOf(
        AddressInfoError,
      );
    });

    it('fails after its timeout, and leaves nothing open', async () => {
      using hanging = await hangingPort();
      const before = openDescriptors();
      const started = performance.now();
      const error = await rejection(connect({ host: '127.0.0.1', port: hanging.port, timeout: 60 }));
      expect(error).to.be.instanceOf(SocketTimeoutError);
      expect(error).to.include({ code: 'ETIMEDOUT', syscall: 'connect' });
      expect(performance.now() - started).to.be.within(55, scaled(5000));
      expect(await settled(before)).to.deep.equal([]);
    });

    it('obeys the default timeout, and gives it to the socket', async () => {
      using hanging = await hangingPort();
      using server = await createServer({ host: '127.0.0.1' });
      const before = getDefaultTimeout();
      setDefaultTimeout(50);
      try {
        expect(await rejection(connect({ host: '127.0.0.1', port: hanging.port }))).to.include({ code: 'ETIMEDOUT' });
        using socket = await connect({ host: '127.0.0.1', port: server.getsockname().port, timeout: 5000 });
        expect(socket.timeout).to.equal(50);
        setDefaultTimeout(0);
        using fast = await connect({ host: '127.0.0.1', port: server.getsockname().port });
        expect(fast.timeout).to.equal(0);
      } finally {
        setDefaultTimeout(before);
      }
    });

    const bad: [what: string, options: unknown, argument: string][] = [
      ['no options', undefined, 'options'],
      ['options that are text', 'localhost:80', 'options'],
      ['no port', {}, 'options.port'],
      ['port 0', { port: 0 }, 'options.port'],
      ['a port that is too large', { port: 65_536 }, 'options.port'],
      ['a port that is text', { port: '80' }, 'options.port'],
      ['a host that is a number', { port: 1, host: 1 }, 'options.host'],
      ['a host with NUL', { port: 1, host: 'a\0' }, 'options.host'],
      ['another family', { port: 1, family: { name: 'unix' } }, 'options.family'],
      ['a family by number', { port: 1, family: 4 }, 'options.family'],
      ['a negative type', { port: 1, type: -1 }, 'options.type'],
      ['a protocol by name', { port: 1, protocol: 'tcp' }, 'options.protocol'],
      ['timeout 0', { port: 1, timeout: 0 }, 'options.timeout'],
      ['a timeout that is NaN', { port: 1, timeout: Number.NaN }, 'options.timeout'],
      ['a timeout that is text', { port: 1, timeout: '1s' }, 'options.timeout'],
      ['allErrors that is a number', { port: 1, allErrors: 1 }, 'options.allErrors'],
      ['prepare that is no function', { port: 1, prepare: {} }, 'options.prepare'],
      ['a source address that is text', { port: 1, localAddress: '127.0.0.1' }, 'options.localAddress'],
      [
        'a source of another family',
        { port: 1, localAddress: { host: '::1' }, family: inet },
        'options.localAddress.host',
      ],
    ];
    for (const [what, options, argument] of bad) {
      it(`says that ${argument} is wrong: ${what}`, async () => {
        const error = await rejection(
          form === 'Sync' ? (async () => createConnectionSync(options as never))() : connect(options as never),
        );
        expect(error).to.include({ argument });
      });
    }
  });
}

describe('createConnection alone', () => {
  it('says which delay is wrong', async () => {
    for (const connectionAttemptDelay of [0, 9, -1, Number.NaN, '250']) {
      const error = await rejection(createConnection({ port: 1, connectionAttemptDelay } as never));
      expect(error).to.include({ argument: 'options.connectionAttemptDelay' });
    }
    expect(await rejection(createConnection({ port: 1, signal: {} as never }))).to.include({
      argument: 'options.signal',
    });
  });

  it('ends with the signal, before and while it connects', async () => {
    using hanging = await hangingPort();
    const before = openDescriptors();
    const reason = new Error('enough');
    const options = { host: '127.0.0.1', port: hanging.port };
    expect(await rejection(createConnection({ ...options, signal: AbortSignal.abort(reason) }))).to.equal(reason);
    for (const delay of [0, 20]) {
      const controller = new AbortController();
      const connecting = createConnection({ ...options, signal: controller.signal });
      if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
      controller.abort(reason);
      expect(await rejection(within('the connection', connecting))).to.equal(reason);
    }
    expect(await settled(before)).to.deep.equal([]);
  });

  it('leaves nothing that keeps a process alive', async () => {
    const child = startNode(
      `
      import { createConnection, createServer } from '@sock/inet';
      const server = await createServer({ host: '127.0.0.1' });
      const socket = await createConnection({ port: server.getsockname().port, timeout: 100_000 });
      console.log('connected');
      socket.close();
      server.close();
      `,
      { input: '', timeout: 15_000 },
    );
    expect((await child.succeeded()).stdout).to.equal('connected\n');
  }).timeout(20_000);
});

describeIf([links, probe('AF_INET6')], 'hosts with several addresses', () => {
  // a link whose only neighbour is a hardware address that nobody has: packets to it vanish
  const setup = `ip link add link0 type veth peer name link1
    ip link set link0 addrgenmode none up
    ip link set link1 addrgenmode none up
    ip address add 2001:db8::1/64 dev link0 nodad
    ip -6 neighbour add 2001:db8::9 lladdr 02:00:00:00:00:99 dev link0 nud permanent
    printf '::1 both.test\\n127.0.0.1 both.test\\n2001:db8::9 hole.test\\n127.0.0.1 hole.test\\n' > /tmp/.sock-hosts-$$
    mount --bind /tmp/.sock-hosts-$$ /etc/hosts
    rm /tmp/.sock-hosts-$$`;

  it('are tried one beside the other', async () => {
    const program = `
      import { readdirSync } from 'node:fs';
      import { createConnection, createConnectionSync, createServer, getaddrinfo } from '@sock/inet';
      const names = (found) => found.map(({ address }) => address.host).join(' ');
      console.log(names(await getaddrinfo('both.test', null, { type: 1 })));
      console.log(names(await getaddrinfo('hole.test', null, { type: 1 })));
      const server = await createServer({ host: '127.0.0.1' });
      const { port } = server.getsockname();
      const open = readdirSync('/proc/self/fd').length;
      async function report(what, connect) {
        const started = performance.now();
        try {
          const socket = await connect();
          console.log(what, socket.getpeername().host, Math.round(performance.now() - started));
          socket.close();
        } catch (error) {
          const errors = error.errors?.map(({ code, address }) => code + ' ' + address.host);
          const outcome = errors?.join(', ') ?? error.code + ' ' + error.address?.host;
          console.log(what, outcome, Math.round(performance.now() - started));
        }
      }
      await report('refused', () =>
        createConnection({ host: 'both.test', port, connectionAttemptDelay: 100_000 }));
      await report('refusedSync', () => createConnectionSync({ host: 'both.test', port }));
      await report('hole', () => createConnection({ host: 'hole.test', port, connectionAttemptDelay: 60 }));
      await report('default', () => createConnection({ host: 'hole.test', port }));
      await report('holeSync', () => createConnectionSync({ host: 'hole.test', port, timeout: 300 }));
      const hole = { host: 'hole.test', port };
      await report('oneByOne', () => createConnection({ ...hole, connectionAttemptDelay: null, timeout: 150 }));
      const localAddress = { host: '127.0.0.3' };
      await report('source', () => createConnection({ ...hole, localAddress, connectionAttemptDelay: 100_000 }));
      await report('all', () => createConnection({ host: 'both.test', port: 1, allErrors: true }));
      await report('last', () => createConnection({ host: 'both.test', port: 1 }));
      await report('allSync', () => createConnectionSync({ host: 'both.test', port: 1, allErrors: true }));
      await report('lastSync', () => createConnectionSync({ host: 'both.test', port: 1 }));
      await new Promise((resolve) => setTimeout(resolve, 20));
      console.log('left open:', readdirSync('/proc/self/fd').length - open);
      server.close();
    `;
    const lines = (await inNamespace(setup, program)).trim().split('\n');
    expect(lines.slice(0, 2)).to.deep.equal(['::1 127.0.0.1', '2001:db8::9 127.0.0.1']);
    const expected: [what: string, outcome: string, least: number][] = [
      ['refused', '127.0.0.1', 0],
      ['refusedSync', '127.0.0.1', 0],
      ['hole', '127.0.0.1', 58],
      ['default', '127.0.0.1', 245],
      // half of the time is for each of the two
      ['holeSync', '127.0.0.1', 145],
      ['oneByOne', 'ETIMEDOUT undefined', 145],
      ['source', '127.0.0.1', 0],
      ['all', 'ECONNREFUSED ::1, ECONNREFUSED 127.0.0.1', 0],
      ['last', 'ECONNREFUSED 127.0.0.1', 0],
      ['allSync', 'ECONNREFUSED ::1, ECONNREFUSED 127.0.0.1', 0],
      ['lastSync', 'ECONNREFUSED 127.0.0.1', 0],
    ];
    for (const [i, [what, outcome, least]] of expected.entries()) {
      const line = lines[2 + i] ?? '';
      expect(line.slice(0, line.lastIndexOf(' '))).to.equal(`${what} ${outcome}`);
      expect(Number(line.slice(line.lastIndexOf(' '))), what).to.be.within(least, scaled(10_000));
    }
    expect(lines.at(-1)).to.equal('left open: 0');
  }).timeout(30_000);
});
