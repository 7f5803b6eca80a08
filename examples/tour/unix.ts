import { fork } from 'node:child_process';
import { closeSync, mkdtempSync, readSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM, Socket } from '@sock/core';
import { recvFds, socketpair, soPeerCred, unix } from '@sock/unix';
import type { Step } from './step.js';

// a folder of its own for each step, gone at the end
async function withFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'sock-tour-'));
  try {
    return await body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const stream: Step = {
  family: 'unix stream',
  run: () =>
    withFolder(async (folder) => {
      using server = new Socket(unix, SOCK_STREAM);
      await server.bind(join(folder, 'socket'));
      server.listen();
      using client = new Socket(unix, SOCK_STREAM);
      await client.connect(join(folder, 'socket'));
      const { socket } = await server.accept();
      using peer = socket;
      await client.sendAll('who is there?');
      const question = (await peer.recv(64)).toString();
      const { pid, uid } = peer.getOption(soPeerCred);
      return `'${question}' over a path, from process ${pid} of user ${uid} (SO_PEERCRED)`;
    }),
};

const datagram: Step = {
  family: 'unix datagram',
  async run() {
    const name = Buffer.from(`\0sock-tour-${process.pid}\0with a NUL`);
    using receiver = new Socket(unix, SOCK_DGRAM);
    await receiver.bind(name);
    using sender = new Socket(unix, SOCK_DGRAM);
    await sender.bind('');
    await sender.sendTo('READY=1', name);
    const { data, address } = await receiver.recvFrom(64);
    return `'${data}' to ${unix.format(name)}, from the automatic address ${unix.format(address ?? '')}`;
  },
};

const seqpacket: Step = {
  family: 'unix seqpacket',
  async run() {
    const [left, right] = socketpair(SOCK_SEQPACKET);
    using sender = left;
    using receiver = right;
    for (const message of ['one', '', 'three']) await sender.send(message);
    const received: string[] = [];
    for (let i = 0; i < 3; i++) received.push((await receiver.recv(64)).toString());
    return `${received.length} messages with their boundaries: ${JSON.stringify(received)}`;
  },
};

const descriptors: Step = {
  family: 'unix descriptors',
  run: () =>
    withFolder(async (folder) => {
      const path = join(folder, 'socket');
      const file = join(folder, 'note');
      writeFileSync(file, 'opened by the other process');
      using server = new Socket(unix, SOCK_STREAM);
      await server.bind(path);
      server.listen();
      const child = fork(fileURLToPath(new URL('descriptor-child.js', import.meta.url)), [path, file]);
      const exited = new Promise((resolve) => child.once('exit', resolve));
      const { socket } = await server.accept();
      using channel = socket;
      using received = await recvFds(channel, 64, 1);
      const fd = received.take(0);
      const buffer = Buffer.alloc(64);
      const text = buffer.toString('utf8', 0, readSync(fd, buffer));
      closeSync(fd);
      await exited;
      return `a file that process ${child.pid} opened, passed with '${received.data}': '${text}'`;
    }),
};

const overHttp: Step = {
  family: 'unix + node:http',
  async run() {
    const name = `\0sock-tour-http-${process.pid}`;
    using listener = new Socket(unix, SOCK_STREAM);
    await listener.bind(name);
    listener.listen();
    const server = http.createServer((request, response) => response.end(`you asked for ${request.url}`));
    const serving = (async () => {
      for await (const { socket } of listener.connections()) server.emit('connection', socket.duplex());
    })();
    using client = new Socket(unix, SOCK_STREAM);
    await client.connect(name);
    const body = await new Promise<string>((resolve, reject) => {
      const request = http.request({ createConnection: () => client.duplex(), path: '/tour' });
      request.on('error', reject);
      request.on('response', async (response) => {
        let text = '';
        for await (const chunk of response) text += chunk;
        resolve(text);
      });
      request.end();
    });
    listener.close();
    await serving;
    return `GET /tour over an abstract name → '${body}'`;
  },
};

export const unixSteps: Step[] = [stream, datagram, seqpacket, descriptors, overHttp];
