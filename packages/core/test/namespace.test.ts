import { execFileSync } from 'node:child_process';
import { closeSync, fstatSync, openSync, readlinkSync } from 'node:fs';
import {
  createNetworkNamespace,
  if_nameindex,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  Socket,
  SocketError,
  type SocketOptions,
} from '@sock/core';
import { itIf, probe, rejection, runNode, thrown } from '@sock/testkit';
import { expect } from 'chai';
import { inet, LOOPBACK, unix } from './support/families.js';

const root = probe('root');

// of netdevice(7)
const SIOCSIFFLAGS = 0x8914;
const SIOCGIFFLAGS = 0x8913;

/** Takes `lo` up, in the namespace of a socket. */
function up(socket: Socket<unknown>): void {
  const request = Buffer.alloc(40);
  request.write('lo');
  socket.ioctl(SIOCGIFFLAGS, request);
  request[16] = (request[16] as number) | 1;
  socket.ioctl(SIOCSIFFLAGS, request);
}

describe('network namespaces', () => {
  itIf(root, 'a socket belongs to the one that it was opened in', async () => {
    const namespace = createNetworkNamespace();
    try {
      using receiver = new Socket(inet, SOCK_DGRAM, 0, { namespace });
      using other = new Socket(inet, SOCK_DGRAM);
      expect(receiver).to.include({ type: SOCK_DGRAM, protocol: 0, inheritable: false });
      await receiver.bind(LOOPBACK);
      const { port } = receiver.getsockname();
      // the same address is free outside
      await other.bind({ ...LOOPBACK, port });
      using sender = new Socket(inet, SOCK_DGRAM, 0, { namespace });
      // nothing is up there
      expect(await rejection(sender.sendTo('lost', receiver.getsockname()))).to.include({ code: 'ENETUNREACH' });
      up(sender);
      await sender.sendTo('inside', receiver.getsockname());
      expect((await receiver.recv(64, { timeout: 5000 })).toString()).to.equal('inside');
      expect(other.tryRecv(64)).to.equal(null);
      // names of interfaces are those of the socket's own
      expect(receiver.interfaceIndex('lo')).to.equal(1);
      for (const { name, index } of if_nameindex()) {
        if (name !== 'lo' && index !== 1) expect(receiver.interfaceName(index)).to.not.equal(name);
      }
    } finally {
      closeSync(namespace);
    }
  });

  itIf(root, 'this thread stays where it is, and so do programs that it starts', () => {
    const home = readlinkSync('/proc/thread-self/ns/net');
    const namespace = createNetworkNamespace();
    const inside = readlinkSync(`/proc/self/fd/${namespace}`);
    using socket = new Socket(inet, SOCK_DGRAM | SOCK_NONBLOCK, 0, { namespace });
    expect(socket.timeout).to.equal(0);
    closeSync(namespace);
    // the socket keeps it
    up(socket);
    expect(inside)
      .to.match(/^net:\[\d+\]$/)
      .and.not.equal(home);
    expect(readlinkSync('/proc/thread-self/ns/net')).to.equal(home);
    expect(execFileSync('readlink', ['/proc/self/ns/net'], { encoding: 'utf8' }).trim()).to.equal(home);
  });

  itIf(root, 'of a process, by what /proc has of it', () => {
    const fd = openSync('/proc/self/ns/net', 'r');
    using outside = new Socket(inet, SOCK_DGRAM);
    outside.bindSync(LOOPBACK);
    using inside = new Socket(inet, SOCK_DGRAM, 0, { namespace: fd });
    inside.sendToSync('at home', outside.getsockname());
    expect(outside.recvSync(64, { timeout: 5000 }).toString()).to.equal('at home');
    closeSync(fd);
  });

  itIf(root, 'a family that the kernel lacks is told as ever', () => {
    const namespace = createNetworkNamespace();
    const error = thrown(() => new Socket({ ...inet, domain: 46 }, SOCK_DGRAM, 0, { namespace }));
    expect(error).to.be.instanceOf(SocketError).and.include({ syscall: 'socket', code: 'EAFNOSUPPORT' });
    fstatSync(namespace);
    closeSync(namespace);
  });

  it('what is no namespace is told', () => {
    const file = openSync('/dev/null', 'r');
    const cases: [number, string[]][] = [
      [file, ['EINVAL']],
      [1_000_000, ['EBADF']],
    ];
    for (const [namespace, codes] of cases) {
      const error = thrown(() => new Socket(unix, SOCK_DGRAM, 0, { namespace }));
      expect(error).to.be.instanceOf(SocketError).and.include({ syscall: 'setns' });
      expect(codes).to.include(error.code);
      expect(error.message).to.contain('namespace');
    }
    closeSync(file);
  });

  it('what it is given is checked before', () => {
    const open = (options: unknown) => thrown(() => new Socket(unix, SOCK_DGRAM, 0, options as SocketOptions));
    expect(open(5)).to.include({ code: 'ERR_INVALID_ARG_TYPE', argument: 'options' });
    expect(open({ namespace: 'blue' })).to.include({ code: 'ERR_INVALID_ARG_TYPE', argument: 'options.namespace' });
    expect(open({ namespace: -1 })).to.include({ code: 'ERR_OUT_OF_RANGE', argument: 'options.namespace' });
    new Socket(unix, SOCK_DGRAM, 0, {}).close();
  });

  itIf(root, 'without CAP_SYS_ADMIN both are EPERM, and the message says so', async () => {
    const outcome = await runNode(`
      import { openSync } from 'node:fs';
      import { createNetworkNamespace, Socket } from '@sock/core';
      const namespace = openSync('/proc/self/ns/net', 'r');
      const family = { name: 'unix', domain: 1, encode: () => 2, decode: () => '', format: String };
      process.setgroups([]);
      process.setgid(65534);
      process.setuid(65534);
      for (const call of [createNetworkNamespace, () => new Socket(family, 1, 0, { namespace })]) {
        try { call(); } catch ({ message }) { console.log(message); }
      }
    `);
    expect(outcome.stderr).to.equal('');
    expect(outcome.stdout).to.match(/^unshare EPERM: .*CAP_SYS_ADMIN.*\nsetns EPERM: .*CAP_SYS_ADMIN.*\n$/);
  });
});
