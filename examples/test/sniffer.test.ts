import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { itIf, scaled, startCommand, startPython, within } from '@sock/testkit';
import { expect } from 'chai';

// what Python receives of the same packet, by a socket of the same kind
const PYTHON = `
import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
s.bind(('lo', 0x0800))
print('ready', flush=True)
data, address = s.recvfrom(65565)
print(len(data), *address[:4], address[4].hex(), flush=True)
`;

describe("the sniffer of Python's documentation, for Linux", () => {
  for (const program of ['sniffer', 'sniffer-sync']) {
    itIf(
      'AF_PACKET',
      `${program} prints a packet and its address, as Python has them`,
      async function (this: Mocha.Context) {
        this.timeout(scaled(30_000));
        const path = fileURLToPath(new URL(`../dist/${program}.js`, import.meta.url));
        const python = startPython(PYTHON);
        await within('python', python.line());
        const sniffer = startCommand(process.execPath, [path], { input: '' });
        const sender = createSocket('udp4');
        // there is no telling from outside when the sniffer listens
        const sending = setInterval(() => sender.send('a datagram to look at', 47_120, '127.0.0.1'), 20);
        const { stdout } = await sniffer.succeeded();
        clearInterval(sending);
        sender.close();
        await once(sender, 'close');
        expect(stdout).to.match(/data: <Buffer 45 /);
        expect(stdout).to.match(/interface: 'lo',\s+protocol: 2048,\s+packetType: [04],\s+hardwareType: 772,/);
        const seen = /^(\d+) lo 2048 ([04]) 772 000000000000$/.exec(await within('python', python.line()));
        expect(seen).to.not.equal(null);
        python.process.stdin?.end();
        await python.succeeded();
      },
    );
  }
});
