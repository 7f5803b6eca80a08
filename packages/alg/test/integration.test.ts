import { createCipheriv, createHash } from 'node:crypto';
import {
  ALG_OP_DECRYPT,
  ALG_OP_ENCRYPT,
  type AlgAddress,
  type AlgRequest,
  AlgSocket,
  alg,
  algSetAeadAuthsize,
  algSetKey,
  algSetKeyByKeySerial,
  CRYPTO_ALG_KERN_DRIVER_ONLY,
  type SendmsgAfalgOptions,
  scmAlgSetAeadAssoclen,
  scmAlgSetIv,
  scmAlgSetOp,
} from '@sock/alg';
import { MSG_MORE, Socket, soSndBuf, UnknownAddress } from '@sock/core';
import { describeIf, pattern, rejection, startNode, thrown, turns, within } from '@sock/testkit';
import { expect } from 'chai';

const KEY = pattern(16, 2);
const IV = pattern(16, 3);

describeIf('AF_ALG', 'AlgSocket', function () {
  this.timeout(20_000);
  const sockets: Disposable[] = [];

  function own<T extends Disposable>(socket: T): T {
    sockets.push(socket);
    return socket;
  }
  afterEach(() => {
    for (const socket of sockets.splice(0).reverse()) socket[Symbol.dispose]();
  });

  function bound(type: string, name: string, key?: Uint8Array): AlgSocket {
    const socket = own(new AlgSocket());
    socket.bindSync({ type, name });
    if (key !== undefined) socket.setOption(algSetKey, key);
    return socket;
  }

  function operation(type: string, name: string, key?: Uint8Array): AlgSocket {
    return own(bound(type, name, key).acceptSync().socket);
  }

  const cbc = (): AlgSocket => operation('skcipher', 'cbc(aes)', KEY);

  function expected(data: Uint8Array, iv = IV): Buffer {
    const cipher = createCipheriv('aes-128-cbc', KEY, iv);
    cipher.setAutoPadding(false);
    return Buffer.concat([cipher.update(data), cipher.final()]);
  }

  it('accepts in three forms: sockets of its class, whose peers have no names', async () => {
    const socket = bound('hash', 'sha256');
    const nobody = new UnknownAddress(0, new Uint8Array());
    for (const accepted of [await socket.accept(), socket.acceptSync(), socket.tryAccept()]) {
      expect(accepted?.address).to.deep.equal(nobody);
      const one = own(accepted?.socket as AlgSocket);
      expect(one).to.be.instanceOf(AlgSocket);
      one.sendSync('abc');
      expect(await one.recv(64)).to.deep.equal(createHash('sha256').update('abc').digest());
    }
  });

  it('operations of one key do not disturb each other, nor does closing the socket that has it', async () => {
    const socket = bound('skcipher', 'cbc(aes)', KEY);
    const operations = [1, 2, 3].map(() => own(socket.acceptSync().socket));
    socket.close();
    const pieces = operations.map((_, i) => pattern(48, i + 10));
    for (const [i, one] of operations.entries()) {
      await one.sendmsgAfalg([pieces[i] as Buffer], { operation: ALG_OP_ENCRYPT, iv: IV });
    }
    for (const [i, one] of operations.entries()) {
      expect(await one.recv(48)).to.deep.equal(expected(pieces[i] as Buffer));
    }
  });

  it('sendmsgAfalg in three forms, of several buffers, encrypts and decrypts', async () => {
    const data = pattern(96);
    const buffers = [data.subarray(0, 10), data.subarray(10, 50), data.subarray(50)];
    const request: AlgRequest = { operation: ALG_OP_ENCRYPT, iv: IV };
    const forms: ((socket: AlgSocket, options: SendmsgAfalgOptions) => unknown)[] = [
      (socket, options) => socket.sendmsgAfalg(buffers, options),
      (socket, options) => socket.sendmsgAfalgSync(buffers, options),
      (socket, options) => socket.trySendmsgAfalg(buffers, options),
    ];
    const socket = cbc();
    for (const form of forms) {
      expect(await form(socket, request)).to.equal(96);
      expect(await socket.recv(96)).to.deep.equal(expected(data));
    }
    await socket.sendmsgAfalg([expected(data)], { operation: ALG_OP_DECRYPT, iv: IV });
    expect(socket.recvSync(96)).to.deep.equal(data);
  });

  it('the same with control messages of one’s own', async () => {
    const socket = operation('aead', 'gcm(aes)', KEY);
    const ancillary = [
      scmAlgSetOp.create(ALG_OP_ENCRYPT),
      scmAlgSetIv.create(IV.subarray(0, 12)),
      scmAlgSetAeadAssoclen.create(6),
    ];
    await socket.sendMsg(['header', 'data'], { ancillary });
    const message = await socket.recv(6 + 4 + 16);
    expect(message.toString('latin1', 0, 6)).to.equal('header');
    await socket.sendmsgAfalg([message], { operation: ALG_OP_DECRYPT, iv: IV.subarray(0, 12), assoclen: 6 });
    expect((await socket.recv(10)).toString()).to.equal('headerdata');
  });

  it('a request in pieces, received as it goes', async () => {
    const data = pattern(4096 * 20);
    const socket = cbc();
    await socket.sendmsgAfalg([data.subarray(0, 4096)], { operation: ALG_OP_ENCRYPT, iv: IV, flags: MSG_MORE });
    const result: Buffer[] = [];
    for (let start = 4096; start <= data.length; start += 4096) {
      result.push(await socket.recv(4096));
      const flags = start + 4096 < data.length ? MSG_MORE : 0;
      if (start < data.length) await socket.send(data.subarray(start, start + 4096), { flags });
    }
    expect(Buffer.concat(result).equals(expected(data))).to.equal(true);
  });

  it('waits for room where nobody receives, and goes on when somebody does', async () => {
    const socket = cbc();
    const piece = pattern(4096);
    let sent = socket.sendmsgAfalgSync([piece], { operation: ALG_OP_ENCRYPT, iv: IV, flags: MSG_MORE });
    for (let count: number | null = 0; count !== null && sent < 10_000_000; ) {
      count = socket.trySend(piece, { flags: MSG_MORE });
      sent += count ?? 0;
    }
    expect(sent).to.be.lessThan(10_000_000);
    expect(socket.trySendmsgAfalg([piece], { operation: ALG_OP_ENCRYPT, flags: MSG_MORE })).to.equal(null);
    expect(thrown(() => socket.sendSync(piece, { timeout: 20 }))).to.include({ code: 'ETIMEDOUT' });
    expect(await rejection(socket.send(piece, { timeout: 20 }))).to.include({ code: 'ETIMEDOUT' });
    const aborted = rejection(socket.send(piece, { signal: AbortSignal.timeout(20) }));
    expect(await aborted).to.have.property('name', 'TimeoutError');
    const waiting = socket.send(piece, { flags: MSG_MORE });
    await turns(2);
    let received = 0;
    while (received < sent) received += (await socket.recv(65_536)).length;
    expect(await within('send', waiting)).to.be.greaterThan(0);
  });

  it('waits for data where there are none, until it is closed', async () => {
    const socket = cbc();
    expect(socket.tryRecv(16)).to.equal(null);
    expect(thrown(() => socket.recvSync(16, { timeout: 20 }))).to.include({ code: 'ETIMEDOUT' });
    const waiting = socket.recv(16);
    await turns(2);
    await socket.sendmsgAfalg([pattern(16)], { operation: ALG_OP_ENCRYPT, iv: IV });
    expect(await within('recv', waiting)).to.have.length(16);
    const pending = rejection(socket.recv(16));
    await turns(2);
    socket.close();
    expect(await within('close', pending)).to.include({ code: 'ECANCELED' });
  });

  it('what is asked for beyond what there is does not block', async () => {
    const socket = operation('aead', 'gcm(aes)', KEY);
    await socket.sendmsgAfalg(['data'], { operation: ALG_OP_ENCRYPT, iv: IV.subarray(0, 12), assoclen: 0 });
    expect(await within('recv', socket.recv(10_000))).to.have.length(20);
    await socket.sendmsgAfalg(['data'], { operation: ALG_OP_ENCRYPT, iv: IV.subarray(0, 12), assoclen: 0 });
    expect(socket.recvSync(10_000, { timeout: 5000 })).to.have.length(20);
  });

  it('a request that has no room is an error, not a part of it', async () => {
    const socket = operation('aead', 'gcm(aes)', KEY);
    const room = socket.getOption(soSndBuf);
    const options = { operation: ALG_OP_ENCRYPT, iv: IV.subarray(0, 12), assoclen: 0 };
    for (const error of [
      await rejection(socket.sendmsgAfalg([Buffer.alloc(room + 1)], options)),
      thrown(() => operation('aead', 'gcm(aes)', KEY).sendmsgAfalgSync([Buffer.alloc(room + 1)], options)),
      thrown(() => operation('aead', 'gcm(aes)', KEY).trySendmsgAfalg([Buffer.alloc(room + 1)], options)),
    ]) {
      expect(error).to.include({ code: 'EMSGSIZE', syscall: 'sendmsg' });
      expect(error.transferred).to.be.greaterThan(0).and.at.most(room);
      expect(error.message).to.include('MSG_MORE');
    }
  });

  it('says what comes in the wrong order', async () => {
    const table: [() => unknown, object, string][] = [
      [() => own(new AlgSocket()).acceptSync(), { code: 'EINVAL', syscall: 'accept' }, 'bind'],
      [() => own(new AlgSocket()).setOption(algSetKey, KEY), { code: 'ENOPROTOOPT' }, 'not bound'],
      [() => bound('hash', 'sha256').setOption(algSetAeadAuthsize, 16), { code: 'ENOPROTOOPT' }, 'no such option'],
      [() => bound('hash', 'sha256').sendSync('x'), { code: 'EOPNOTSUPP' }, 'accept'],
      [() => bound('hash', 'sha256').recvSync(1), { code: 'EOPNOTSUPP' }, 'accept'],
      [() => operation('skcipher', 'cbc(aes)').sendSync('x'.repeat(16)), { code: 'ENOKEY' }, 'ALG_SET_KEY'],
      [() => bound('hash', 'sha256').getsockname(), { code: 'EOPNOTSUPP' }, 'no addresses'],
      [() => cbc().getpeername(), { code: 'EOPNOTSUPP' }, 'no addresses'],
      [
        () => own(new AlgSocket()).bindSync({ type: 'hash', name: 'sha256', features: 1, mask: 1 }),
        { code: 'EINVAL', syscall: 'bind' },
        'CRYPTO_ALG_KERN_DRIVER_ONLY',
      ],
      [
        () => own(new AlgSocket()).bindSync({ type: 'akcipher', name: 'rsa' }),
        { code: 'ENOENT', syscall: 'bind' },
        'akcipher is not in Linux',
      ],
      [
        () => cbc().sendmsgAfalgSync(['x'], { operation: 7, iv: IV }),
        { code: 'EINVAL', syscall: 'sendmsg' },
        'no such operation',
      ],
      [
        () => {
          const socket = cbc();
          for (let i = 0; i < 2; i++) socket.sendmsgAfalgSync([KEY], { operation: ALG_OP_ENCRYPT, iv: IV });
        },
        { code: 'EINVAL', syscall: 'sendmsg' },
        'has not been received',
      ],
      [
        () => {
          const socket = bound('skcipher', 'cbc(aes)', KEY);
          own(socket.acceptSync().socket);
          socket.setOption(algSetKey, KEY);
        },
        { code: 'EBUSY', syscall: 'setsockopt' },
        'before accept',
      ],
    ];
    for (const [call, codes, text] of table) {
      const error = thrown(call);
      expect(error, error.message).to.include(codes);
      expect(error.message).to.include(text);
    }
  });

  it('refuses what it does not accept before any system call', async () => {
    const socket = cbc();
    const request = { operation: ALG_OP_ENCRYPT };
    const table: [unknown[], string][] = [
      [['data', request], 'buffers'],
      [[[5], request], 'buffers[0]'],
      [[[KEY]], 'options'],
      [[[KEY], {}], 'options.operation'],
      [[[KEY], { operation: -1 }], 'options.operation'],
      [[[KEY], { ...request, iv: 5 }], 'options.iv'],
      [[[KEY], { ...request, assoclen: 0.5 }], 'options.assoclen'],
    ];
    for (const [args, argument] of table) {
      const given = args as Parameters<AlgSocket['sendmsgAfalg']>;
      expect(await rejection(socket.sendmsgAfalg(...given))).to.include({ argument });
      expect(thrown(() => socket.sendmsgAfalgSync(...given))).to.include({ argument });
      expect(thrown(() => socket.trySendmsgAfalg(...given))).to.include({ argument });
    }
    expect(socket.tryRecv(16)).to.equal(null);
  });

  it('binds what the kernel agrees is an algorithm, by name or by implementation', async () => {
    const addresses: AlgAddress[] = [
      { type: 'hash', name: 'sha256-generic', features: 0, mask: 0 },
      { type: 'hash', name: 'sha256', features: 0, mask: CRYPTO_ALG_KERN_DRIVER_ONLY },
      { type: 'skcipher', name: 'ctr(aes-generic)', features: 0, mask: 0 },
    ];
    for (const address of addresses) {
      const socket = own(new Socket(alg));
      await socket.bind(address);
      expect(own((await socket.accept()).socket).closed).to.equal(false);
    }
    // a name as long as sockaddrs can have reaches the kernel whole
    const long = `sha256${'-'.repeat(97)}`;
    const error = await rejection(own(new AlgSocket()).bind({ type: 'hash', name: long }));
    expect(error).to.include({ code: 'ENOENT' });
    expect(error.address).to.deep.equal({ type: 'hash', name: long, features: 0, mask: 0 });
  });

  it('a key of a keyring is asked of the kernel, where it knows how', () => {
    const error = thrown(() => bound('hash', 'hmac(sha256)').setOption(algSetKeyByKeySerial, 0x7ffffff0));
    // ENOPROTOOPT before Linux 6.2
    expect(error.code).to.be.oneOf(['ENOPROTOOPT', 'ENOKEY', 'EACCES', 'EINVAL']);
    expect(error.message).to.include('ALG_SET_KEY_BY_KEY_SERIAL');
  });

  it('is adopted with its family, and duplicated', async () => {
    const adopted = own(AlgSocket.adopt(bound('hash', 'sha256').detach(), alg));
    const one = own((await adopted.accept()).socket);
    const copy = own(one.dup());
    copy.sendSync('ab', { flags: MSG_MORE });
    one.sendSync('c');
    expect(await copy.recv(64)).to.deep.equal(createHash('sha256').update('abc').digest());
  });

  it('a program that ends in the middle of a request leaves nothing behind', async () => {
    const child = startNode(
      `
      import { ALG_OP_ENCRYPT, AlgSocket, algSetKey } from '@sock/alg';
      const bound = new AlgSocket();
      bound.bindSync({ type: 'skcipher', name: 'cbc(aes)' });
      bound.setOption(algSetKey, new Uint8Array(16));
      const { socket } = bound.acceptSync();
      socket.sendmsgAfalgSync([new Uint8Array(4096)], { operation: ALG_OP_ENCRYPT, iv: new Uint8Array(16), flags: 0x8000 });
      socket.recv(8192).then(() => socket.recv(16));
      console.log('sent');
      setInterval(() => {}, 1000);
      `,
      { input: '' },
    );
    await child.says('sent');
    child.kill();
    expect(await child.outcome).to.include({ signal: 'SIGKILL' });
    const socket = cbc();
    await socket.sendmsgAfalg([pattern(32)], { operation: ALG_OP_ENCRYPT, iv: IV });
    expect(await socket.recv(32)).to.deep.equal(expected(pattern(32)));
  });
});
