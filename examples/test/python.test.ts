import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Child, describeIf, freeTcpPort, runPython, startCommand, startPython } from '@sock/testkit';
import { expect } from 'chai';

// The programs of the documentation of Python's socket module: each of ours talks to one in Python.

const program = (name: string) => fileURLToPath(new URL(`../dist/${name}.js`, import.meta.url));
const start = (name: string, ...args: string[]): Child => startCommand(process.execPath, [program(name), ...args]);

const CLIENT = `
import socket, sys
host, port = sys.argv[1], int(sys.argv[2])
with socket.create_connection((host, port)) as s:
    s.sendall(b'Hello, world')
    print('received', s.recv(1024).decode())`;

const SERVER = `
import socket, sys
host, port = sys.argv[1], int(sys.argv[2])
family = socket.AF_INET6 if ':' in host else socket.AF_INET
with socket.create_server((host, port), family=family) as s:
    print('listening')
    connection, _ = s.accept()
    with connection:
        while data := connection.recv(1024):
            connection.sendall(data)`;

const FORMS = ['', '-sync'];

for (const [folder, hosts] of [
  ['echo', ['127.0.0.1']],
  ['dual-stack', ['127.0.0.1', '::1']],
] as const) {
  describe(`examples/${folder}`, () => {
    for (const form of FORMS) {
      for (const host of hosts) {
        it(`server${form} at ${host}, with a client in Python`, async () => {
          const port = String(await freeTcpPort(host));
          await using server = start(`${folder}/server${form}`, port, host);
          await server.says('listening on');
          expect(await runPython(CLIENT, [host, port])).to.equal('received Hello, world\n');
          const { stdout } = await server.succeeded();
          expect(stdout).to.match(/^listening on \S+\nconnected by \S+:\d+\n$/);
        });

        it(`client${form}, with a server in Python at ${host}`, async () => {
          const port = String(await freeTcpPort(host));
          await using server = startPython(SERVER, [host, port]);
          await server.says('listening');
          const client = start(`${folder}/client${form}`, host, port);
          expect((await client.succeeded()).stdout).to.equal('received Hello, world\n');
          await server.succeeded();
        });
      }
    }
  });
}

const FRAMES = `
import socket, struct, sys
layout = '=IB3x8s'
with socket.socket(socket.AF_CAN, socket.SOCK_RAW, socket.CAN_RAW) as s:
    s.bind((sys.argv[1],))
    s.send(struct.pack(layout, 0x123, 5, b'hello'.ljust(8, b'\\0')))
    for _ in range(2):
        frame, _ = s.recvfrom(16)
        id, length, data = struct.unpack(layout, frame)
        print('%x' % id, data[:length].hex())`;

describeIf(['AF_CAN', 'root'], 'examples/can', () => {
  const name = 'vcanexample';
  const ip = (...args: string[]) => execFileSync('ip', args);
  before(() => {
    ip('link', 'add', name, 'type', 'vcan');
    ip('link', 'set', name, 'up');
  });
  after(() => ip('link', 'delete', name));

  for (const form of FORMS) {
    it(`echo${form}, with a program in Python on the bus`, async () => {
      await using ours = start(`can/echo${form}`, name);
      await ours.says('listening on');
      expect(await runPython(FRAMES, [name])).to.equal('123 68656c6c6f\n1 010203\n');
      expect((await ours.succeeded()).stdout).to.equal(`listening on ${name}\nreceived 123#68656C6C6F\n`);
    });
  }
});
