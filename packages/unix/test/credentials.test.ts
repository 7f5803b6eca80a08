import { closeSync, readFileSync } from 'node:fs';
import { MSG_CTRUNC, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM, Socket } from '@sock/core';
import { capability, isOpen, itIf, probe, rejection, startPython, tempPath, unique, within } from '@sock/testkit';
import {
  scmCredentials,
  scmPidFd,
  scmSecurity,
  socketpair,
  soPassCred,
  soPassPidFd,
  soPassSec,
  unix,
} from '@sock/unix';
import { expect } from 'chai';

const OWN = { pid: process.pid, uid: process.getuid?.() ?? -1, gid: process.getgid?.() ?? -1 };

const passPidFd = capability({
  name: 'SO_PASSPIDFD',
  since: '6.5',
  remedy: 'use Linux 6.5 or newer',
  probe() {
    const [a, b] = socketpair();
    try {
      a.setOption(soPassPidFd, true);
    } finally {
      a.close();
      b.close();
    }
  },
});

describe('credentials', () => {
  for (const [name, type] of [
    ['stream', SOCK_STREAM],
    ['datagram', SOCK_DGRAM],
    ['seqpacket', SOCK_SEQPACKET],
  ] as const) {
    it(`come with every message of a ${name} socket that asks for them`, async () => {
      const [a, b] = socketpair(type);
      b.setOption(soPassCred, true);
      await a.send('unasked');
      const { data, ancillary, flags } = await b.recvMsg(100, scmCredentials.space);
      expect(data.toString()).to.equal('unasked');
      expect(flags & MSG_CTRUNC).to.equal(0);
      expect(scmCredentials.find(ancillary)).to.deep.equal(OWN);
      expect(soPassCred.message.findAll(ancillary)).to.deep.equal([OWN]);
      await a.sendMsg(['stated'], { ancillary: [scmCredentials.create(OWN)] });
      const second = await b.recvMsg(100, scmCredentials.space);
      expect(scmCredentials.find(second.ancillary)).to.deep.equal(OWN);
      a.close();
      b.close();
    });
  }

  it('of nobody come with what was sent before they were asked for', async () => {
    const [a, b] = socketpair();
    await a.send('early');
    b.setOption(soPassCred, true);
    const { ancillary } = await b.recvMsg(100, scmCredentials.space);
    const value = scmCredentials.find(ancillary);
    expect(value).to.have.all.keys('pid', 'uid', 'gid');
    a.close();
    b.close();
  });

  it('make a datagram socket bind itself', async () => {
    const path = tempPath('.sock');
    using receiver = new Socket(unix, SOCK_DGRAM);
    await receiver.bind(path);
    receiver.setOption(soPassCred, true);
    using sender = new Socket(unix, SOCK_DGRAM);
    sender.setOption(soPassCred, true);
    await sender.sendTo('x', path);
    const { address, ancillary } = await receiver.recvMsg(10, scmCredentials.space);
    expect(address).to.deep.equal(sender.getsockname());
    expect(address).to.have.length(6);
    expect(scmCredentials.find(ancillary)).to.deep.equal(OWN);
  });

  it('are cut off, and found undefined, where there is no room', async () => {
    const [a, b] = socketpair();
    b.setOption(soPassCred, true);
    for (let size = 0; size < scmCredentials.space; size++) {
      await a.send('x');
      const { ancillary } = await b.recvMsg(1, size);
      const value = scmCredentials.find(ancillary);
      if (value !== undefined) expect(value).to.deep.equal(OWN);
    }
    a.close();
    b.close();
  });

  it('of another process are its own', async () => {
    const name = `sock-cred-${unique()}`;
    using receiver = new Socket(unix, SOCK_DGRAM);
    await receiver.bind(`\0${name}`);
    receiver.setOption(soPassCred, true);
    const child = startPython(
      `
import os, socket, struct, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.connect('\\0' + sys.argv[1])
s.send(b'plain')
ucred = struct.pack('iII', os.getpid(), os.getuid(), os.getgid())
s.sendmsg([b'stated'], [(socket.SOL_SOCKET, socket.SCM_CREDENTIALS, ucred)])
      `,
      [name],
      { input: '' },
    );
    for (const text of ['plain', 'stated']) {
      const { data, ancillary } = await within('recvMsg', receiver.recvMsg(100, scmCredentials.space));
      expect(data.toString()).to.equal(text);
      expect(scmCredentials.find(ancillary)).to.deep.equal({ ...OWN, pid: child.process.pid });
    }
    await child.succeeded();
  }).timeout(20_000);

  it('Python reads those that we send', async () => {
    const path = tempPath('.sock');
    const child = startPython(
      `
import socket, struct, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
s.bind(sys.argv[1])
print('bound')
data, ancillary, flags, address = s.recvmsg(100, 100)
print(*struct.unpack('iII', ancillary[0][2]))
      `,
      [path],
      { input: '' },
    );
    expect(await child.line()).to.equal('bound');
    using sender = new Socket(unix, SOCK_DGRAM);
    await sender.sendMsg(['x'], { address: path, ancillary: [scmCredentials.create({})] });
    expect(await child.line()).to.equal(`${OWN.pid} ${OWN.uid} ${OWN.gid}`);
    await child.succeeded();
  }).timeout(20_000);

  it('of a process that does not exist cannot be claimed', async () => {
    const [a, b] = socketpair();
    const claim = scmCredentials.create({ pid: 0x3fffffff });
    expect(await rejection(a.sendMsg(['x'], { ancillary: [claim] }))).to.include({ code: 'ESRCH', syscall: 'sendmsg' });
    expect(b.tryRecv(10)).to.equal(null);
    a.close();
    b.close();
  });

  itIf(probe('root'), 'of others can be claimed with capabilities only', async () => {
    const [a, b] = socketpair();
    b.setOption(soPassCred, true);
    await a.sendMsg(['x'], { ancillary: [scmCredentials.create({ pid: 1, uid: 12, gid: 34 })] });
    const { ancillary } = await b.recvMsg(10, scmCredentials.space);
    expect(scmCredentials.find(ancillary)).to.deep.equal({ pid: 1, uid: 12, gid: 34 });
    const real = process.geteuid?.() ?? 0;
    process.seteuid?.(65534);
    try {
      const error = await rejection(a.sendMsg(['x'], { ancillary: [scmCredentials.create({ pid: 1 })] }));
      expect(error).to.include({ code: 'EPERM' });
      expect(error.message).to.include('CAP_SYS_ADMIN');
    } finally {
      process.seteuid?.(real);
    }
    a.close();
    b.close();
  });

  it('a label comes where a security module has one', async () => {
    const [a, b] = socketpair();
    b.setOption(soPassSec, true);
    await a.send('x');
    const { ancillary } = await b.recvMsg(10, scmSecurity.space);
    const label = soPassSec.message.find(ancillary);
    let own: string | undefined;
    try {
      own = readFileSync('/proc/self/attr/current', 'latin1').replace(/\0/g, '').trim();
    } catch {
      // no module that labels processes
    }
    if (label !== undefined) expect(label).to.equal(own);
    a.close();
    b.close();
  });

  itIf(passPidFd, 'a pidfd of the sender comes with each message, and goes with it', async () => {
    const [a, b] = socketpair();
    b.setOption(soPassPidFd, true);
    await a.send('x');
    const first = await b.recvMsg(10, scmPidFd.space);
    const seen = scmPidFd.find(first.ancillary) ?? -1;
    expect(readFileSync(`/proc/self/fdinfo/${seen}`, 'latin1')).to.match(new RegExp(`^Pid:\\s*${process.pid}$`, 'm'));
    first.ancillary[Symbol.dispose]();
    expect(isOpen(seen)).to.equal(false);

    await a.send('y');
    const second = await b.recvMsg(10, scmPidFd.space);
    const taken = soPassPidFd.message.take(second.ancillary) ?? -1;
    expect(soPassPidFd.message.take(second.ancillary)).to.equal(undefined);
    second.ancillary[Symbol.dispose]();
    expect(isOpen(taken)).to.equal(true);
    closeSync(taken);
    using none = second.ancillary;
    expect(scmPidFd.take(none)).to.equal(undefined);
    a.close();
    b.close();
  });
});
