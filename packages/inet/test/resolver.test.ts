import { describeIf, inLab, scaled } from '@sock/testkit';
import { expect } from 'chai';
import { inNamespace, namespaces } from './namespace.js';

// libc asks a name server that is ours, at the place where it always looks
const SETUP = `
mount -t tmpfs none /mnt
printf 'nameserver 127.0.0.1\\noptions timeout:${Math.ceil(scaled(5_000) / 1000)} attempts:1\\n' > /mnt/resolv.conf
printf 'hosts: files dns\\nservices: files\\n' > /mnt/nsswitch.conf
mount --bind /mnt/resolv.conf /etc/resolv.conf
mount --bind /mnt/nsswitch.conf /etc/nsswitch.conf`;

/** A name server that runs on the thread that asks: an answer comes only if the loop turns while libc waits. */
const NAME_SERVER = `
import { setImmediate } from 'node:timers/promises';
import { SOCK_DGRAM, SOCK_STREAM, Socket } from '@sock/core';
import {
  createConnection, createServer, getaddrinfo, getfqdn, gethostbyaddr, gethostbyname, gethostbyname_ex, getnameinfo, inet,
} from '@sock/inet';

const A = 1, CNAME = 5, PTR = 12, NXDOMAIN = 3, SERVFAIL = 2;
const labels = (name: string) => Buffer.concat([...name.split('.').map((one) => Buffer.from([one.length, ...Buffer.from(one)])), Buffer.of(0)]);
const record = (name: Buffer, type: number, data: Buffer) =>
  Buffer.concat([name, Buffer.of(0, type, 0, 1, 0, 0, 0, 60, data.length >> 8, data.length & 0xff), data]);
const asked = Buffer.of(0xc0, 0x0c);
const loopback = Buffer.of(127, 0, 0, 7);

function records(name: string, type: number): Buffer[] | number {
  if (name === 'slow.test') return type === A ? [record(asked, A, loopback)] : [];
  if (name === 'alias.test') {
    const alias = record(asked, CNAME, labels('slow.test'));
    return type === A ? [alias, record(labels('slow.test'), A, loopback)] : [alias];
  }
  if (name === '7.0.0.127.in-addr.arpa') return type === PTR ? [record(asked, PTR, labels('slow.test'))] : [];
  return name === 'again.test' ? SERVFAIL : NXDOMAIN;
}

function answer(query: Buffer): Buffer {
  const parts: string[] = [];
  let at = 12;
  for (; query[at] !== 0; at += 1 + (query[at] as number)) parts.push(query.toString('latin1', at + 1, at + 1 + (query[at] as number)));
  const question = query.subarray(12, at + 5);
  const found = records(parts.join('.').toLowerCase(), query.readUInt16BE(at + 1));
  const list = typeof found === 'number' ? [] : found;
  const header = Buffer.alloc(12);
  header.writeUInt16BE(query.readUInt16BE(0), 0);
  header.writeUInt16BE(0x8180 | (typeof found === 'number' ? found : 0), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(list.length, 6);
  return Buffer.concat([header, question, ...list]);
}

using server = new Socket(inet, SOCK_DGRAM);
server.bindSync({ host: '127.0.0.1', port: 53 });
let questions = 0;
const serving = (async () => {
  for await (const { data, address } of server.messages(1500)) {
    questions++;
    for (let turn = 0; turn < 5; turn++) await setImmediate();
    await server.sendTo(answer(data), address as { host: string; port: number });
  }
})();
const codeOf = (promise: Promise<unknown>) => promise.then(() => 'none', (error) => error.code);
`;

// it is libc and the loop that are tested here, no kernel: once is enough
if (!inLab) {
  describeIf(namespaces, 'names that a name server knows', function (this: Mocha.Suite) {
    this.timeout(scaled(30_000));

    async function run(body: string): Promise<unknown> {
      const program = `${NAME_SERVER}\n${body}\nserver.close();\nawait serving;`;
      return JSON.parse(await inNamespace(SETUP, program));
    }

    it('are looked up while the loop goes on turning', async () => {
      const found = await run(`
      const { name, aliases, addresses } = await gethostbyname_ex('alias.test');
      const host = await gethostbyaddr('127.0.0.7');
      console.log(JSON.stringify({
        getaddrinfo: (await getaddrinfo('slow.test', 'http', { type: SOCK_STREAM })).map(({ address }) => address),
        gethostbyname: await gethostbyname('alias.test'),
        gethostbyname_ex: { name, aliases, addresses },
        gethostbyaddr: [host.name, host.addresses],
        getnameinfo: await getnameinfo({ host: '127.0.0.7', port: 80 }),
        getfqdn: await getfqdn('alias.test'),
        asked: questions > 6,
      }));`);
      expect(found).to.deep.equal({
        getaddrinfo: [{ host: '127.0.0.7', port: 80 }],
        gethostbyname: '127.0.0.7',
        gethostbyname_ex: { name: 'slow.test', aliases: ['alias.test'], addresses: ['127.0.0.7'] },
        gethostbyaddr: ['slow.test', ['127.0.0.7']],
        getnameinfo: { host: 'slow.test', service: 'http' },
        getfqdn: 'slow.test',
        asked: true,
      });
    });

    it('are looked up so by what takes an address, too', async () => {
      const found = await run(`
      using listener = await createServer({ host: 'slow.test' });
      const { port } = listener.getsockname();
      using first = new Socket(inet);
      await first.connect({ host: 'slow.test', port });
      using second = await createConnection({ host: 'alias.test', port });
      using datagrams = new Socket(inet, SOCK_DGRAM);
      await datagrams.bind({ host: 'slow.test' });
      await datagrams.sendTo('to itself', { host: 'alias.test', port: datagrams.getsockname().port });
      console.log(JSON.stringify([
        listener.getsockname().host, first.getpeername().host, second.getpeername().host,
        String(datagrams.tryRecv(100)), questions > 4,
      ]));`);
      expect(found).to.deep.equal(['127.0.0.7', '127.0.0.7', '127.0.0.7', 'to itself', true]);
    });

    it('that nobody knows are errors of the kind of their function', async () => {
      const found = await run(`
      console.log(JSON.stringify([
        await codeOf(getaddrinfo('no.test', 80)), await codeOf(gethostbyname('no.test')),
        await codeOf(gethostbyname_ex('no.test')), await codeOf(gethostbyaddr('127.0.0.8')),
        await codeOf(getaddrinfo('again.test', 80)), await codeOf(gethostbyname_ex('again.test')),
        await getfqdn('no.test'), await getnameinfo({ host: '127.0.0.8', port: 80 }),
      ]));`);
      expect(found).to.deep.equal([
        'EAI_NONAME',
        'EAI_NONAME',
        'HOST_NOT_FOUND',
        'HOST_NOT_FOUND',
        'EAI_AGAIN',
        'TRY_AGAIN',
        'no.test',
        { host: '127.0.0.8', service: 'http' },
      ]);
    });
  });
}
