import { closeSync, readFileSync, statSync } from 'node:fs';
import { MSG_PEEK, SOCK_DGRAM, SOCK_STREAM, Socket, type SocketError, type SocketOption, soPeekOff } from '@sock/core';
import { capability, describeIf, itIf, probe, startNode, tempPath, thrown, within } from '@sock/testkit';
import {
  recvFds,
  SIOCUNIXFILE,
  scmInq,
  sendFds,
  socketpair,
  soInq,
  soPassCred,
  soPassPidFd,
  soPassRights,
  soPassSec,
  soPeerCred,
  soPeerGroups,
  soPeerPidFd,
  soPeerSec,
  unix,
} from '@sock/unix';
import { expect } from 'chai';

/** A kernel with an option of Linux newer than the oldest that is supported. */
function optionCapability(option: { label: string }, since: string, probe: () => void) {
  return capability({ name: option.label, since, remedy: `use Linux ${since} or newer`, probe });
}

function onPair<T>(action: (a: ReturnType<typeof socketpair>[0], b: ReturnType<typeof socketpair>[1]) => T): T {
  const [a, b] = socketpair();
  try {
    return action(a, b);
  } finally {
    a.close();
    b.close();
  }
}

const peerPidFd = optionCapability(soPeerPidFd, '6.5', () => onPair((a) => closeSync(a.getOption(soPeerPidFd))));
const passPidFd = optionCapability(soPassPidFd, '6.5', () => onPair((a) => a.setOption(soPassPidFd, true)));
const passRights = optionCapability(soPassRights, '6.16', () => onPair((a) => a.setOption(soPassRights, true)));
const inq = optionCapability(soInq, '6.17', () => onPair((a) => a.setOption(soInq, true)));

/** The process that a pidfd stands for. Source: pidfd_open(2), proc(5). */
function processOf(pidFd: number): number {
  return Number(/^Pid:\s*(-?\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${pidFd}`, 'latin1'))?.[1]);
}

describe('unix options', () => {
  const table: [SocketOption<boolean>, boolean][] = [
    [soPassCred, false],
    [soPassSec, false],
  ];
  for (const [option, initial] of table) {
    it(`${option.label} is ${initial} at first, and what it was set to then`, () => {
      onPair((a) => {
        expect(a.getOption(option)).to.equal(initial);
        a.setOption(option, !initial);
        expect(a.getOption(option)).to.equal(!initial);
        a.setOption(option, initial);
        expect(a.getOption(option)).to.equal(initial);
        expect(thrown(() => a.setOption(option, 1 as unknown as boolean))).to.include({ code: 'ERR_INVALID_ARG_TYPE' });
      });
    });
  }

  it('SO_PEERCRED of a pair is this process, at both ends', () => {
    onPair((a, b) => {
      const own = { pid: process.pid, uid: process.geteuid?.(), gid: process.getegid?.() };
      expect(a.getOption(soPeerCred)).to.deep.equal(own);
      expect(b.getOption(soPeerCred)).to.deep.equal(own);
    });
  });

  it('SO_PEERCRED without a peer is nobody', () => {
    using socket = new Socket(unix, SOCK_STREAM);
    expect(socket.getOption(soPeerCred)).to.deep.equal({ pid: 0, uid: 0xffffffff, gid: 0xffffffff });
  });

  it('SO_PEERCRED of a connection is the process at the other end', async () => {
    using listener = new Socket(unix, SOCK_STREAM);
    const path = tempPath('.sock');
    await listener.bind(path);
    listener.listen();
    const child = startNode(
      `
      import { Socket, SOCK_STREAM } from '@sock/core';
      import { soPeerCred, unix } from '@sock/unix';
      using socket = new Socket(unix, SOCK_STREAM);
      await socket.connect(process.argv[1]);
      console.log(socket.getOption(soPeerCred).pid);
      await socket.recv(1);
      `,
      { args: [path], input: '', typescript: true },
    );
    const { socket } = await within('accept', listener.accept());
    expect(socket.getOption(soPeerCred).pid).to.equal(child.process.pid);
    await child.says('\n');
    socket.close();
    const { stdout } = await child.succeeded();
    expect(Number(stdout)).to.equal(process.pid);
  }).timeout(20_000);

  it('SO_PEERGROUPS is the supplementary groups of the peer', () => {
    onPair((a) => {
      const groups = /^Groups:[ \t]*(.*)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '';
      const own = groups
        .split(/\s+/)
        .filter((group) => group !== '')
        .map(Number);
      expect(a.getOption(soPeerGroups)).to.have.members(own);
    });
    using alone = new Socket(unix, SOCK_STREAM);
    expect(thrown(() => alone.getOption(soPeerGroups))).to.include({ code: 'ENODATA' });
  });

  itIf(probe('root'), 'SO_PEERGROUPS takes as many groups as a process can have', async () => {
    const child = startNode(
      `
      import { soPeerGroups, socketpair } from '@sock/unix';
      for (const count of [0, 1, 70, 3000, 65536]) {
        process.setgroups(Array.from({ length: count }, (_, i) => i + 1));
        const [a, b] = socketpair();
        const groups = a.getOption(soPeerGroups);
        if (groups.length !== count) throw new Error('got ' + groups.length);
        if (groups.some((group, i) => group !== i + 1)) throw new Error('got others');
        a.close();
        b.close();
      }
      `,
      { input: '' },
    );
    await child.succeeded();
  });

  it('SO_PEERSEC is a label, or the error of a kernel without labels', () => {
    onPair((a) => {
      let label: string;
      try {
        label = a.getOption(soPeerSec);
      } catch (error) {
        expect(error).to.include({ code: 'ENOPROTOOPT', syscall: 'getsockopt' });
        return;
      }
      expect(label).to.be.a('string').and.not.include('\0');
    });
  });

  it('SO_PEEK_OFF moves where MSG_PEEK reads', async () => {
    const [a, b] = socketpair();
    expect(b.getOption(soPeekOff)).to.equal(-1);
    b.setOption(soPeekOff, 2);
    await a.sendAll('abcdef');
    expect((await b.recv(2, { flags: MSG_PEEK })).toString()).to.equal('cd');
    expect(b.getOption(soPeekOff)).to.equal(4);
    expect((await b.recv(2, { flags: MSG_PEEK })).toString()).to.equal('ef');
    b.setOption(soPeekOff, -1);
    expect((await b.recv(10)).toString()).to.equal('abcdef');
    expect(thrown(() => b.setOption(soPeekOff, -2))).to.include({ code: 'ERR_OUT_OF_RANGE' });
    a.close();
    b.close();
  });

  itIf(peerPidFd, 'SO_PEERPIDFD is a descriptor of the process at the other end', () => {
    onPair((a) => {
      const pidFd = a.getOption(soPeerPidFd);
      expect(processOf(pidFd)).to.equal(process.pid);
      const another = a.getOption(soPeerPidFd);
      expect(another).to.not.equal(pidFd);
      closeSync(pidFd);
      closeSync(another);
    });
  });

  itIf(passRights, 'SO_PASSRIGHTS forbids descriptors', async () => {
    const [a, b] = socketpair();
    expect(b.getOption(soPassRights)).to.equal(true);
    b.setOption(soPassRights, false);
    expect(b.getOption(soPassRights)).to.equal(false);
    let error: SocketError | undefined;
    await sendFds(a, 'x', [0]).catch((reason: SocketError) => {
      error = reason;
    });
    expect(error).to.include({ code: 'EPERM' });
    await a.send('text alone');
    using received = await recvFds(b, 100, 1);
    expect(received.fds).to.deep.equal([]);
    a.close();
    b.close();
  });

  describeIf(inq, 'SO_INQ', () => {
    it('tells how many bytes are left', async () => {
      const [a, b] = socketpair();
      b.setOption(soInq, true);
      await a.sendAll('abcdefgh');
      const { data, ancillary } = await b.recvMsg(3, scmInq.space);
      expect(scmInq.find(ancillary)).to.equal(5);
      expect(data.toString()).to.equal('abc');
      expect(soInq.message.find(ancillary)).to.equal(5);
      a.close();
      b.close();
    });
  });

  itIf(passPidFd, 'SO_PASSPIDFD is false at first', () => {
    onPair((a) => {
      expect(a.getOption(soPassPidFd)).to.equal(false);
      a.setOption(soPassPidFd, true);
      expect(a.getOption(soPassPidFd)).to.equal(true);
    });
  });

  const unixFile = capability({
    name: 'SIOCUNIXFILE',
    remedy: 'run with CAP_NET_ADMIN',
    probe() {
      using socket = new Socket(unix, SOCK_DGRAM);
      socket.bindSync(tempPath('.sock'));
      closeSync(socket.ioctl(SIOCUNIXFILE as number, 0) as number);
    },
  });
  itIf(unixFile, 'SIOCUNIXFILE opens the file of a bound socket', () => {
    using socket = new Socket(unix, SOCK_DGRAM);
    const path = tempPath('.sock');
    socket.bindSync(path);
    const fd = socket.ioctl(SIOCUNIXFILE as number, 0) as number;
    expect(statSync(`/proc/self/fd/${fd}`).ino).to.equal(statSync(path).ino);
    closeSync(fd);
  });
});
