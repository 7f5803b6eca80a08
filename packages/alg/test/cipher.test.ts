import { type CipherGCMTypes, createCipheriv, createHmac } from 'node:crypto';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { decrypt, decryptSync, encrypt, encryptSync } from '@sock/alg';
import {
  describeIf,
  inLab,
  itIf,
  pattern,
  probe,
  rejection,
  runPython,
  startCommand,
  startNode,
  tempPath,
  thrown,
} from '@sock/testkit';
import { expect } from 'chai';
import fc from 'fast-check';
import { fromHex } from './bytes.js';
import { CIPHERS } from './vectors.js';

const KEY = pattern(16, 2);
const IV = pattern(16, 3);
const NONCE = pattern(12, 4);

function nodeCipher(name: string, data: Uint8Array, key: Uint8Array, iv: Uint8Array | null): Buffer {
  const cipher = createCipheriv(name, key, iv);
  cipher.setAutoPadding(false);
  return Buffer.concat([cipher.update(data), cipher.final()]);
}

function nodeGcm(data: Uint8Array, aad: Uint8Array, authTagLength = 16): Buffer {
  const cipher = createCipheriv('aes-128-gcm' as CipherGCMTypes, KEY, NONCE, { authTagLength });
  cipher.setAAD(aad);
  return Buffer.concat([cipher.update(data), cipher.final(), cipher.getAuthTag()]);
}

describeIf('AF_ALG', 'encrypt and decrypt', function () {
  this.timeout(30_000);

  for (const { source, name, data, encrypted, ...options } of CIPHERS) {
    it(`${name} (${source})`, async () => {
      expect((await encrypt(name, data, options)).toString('hex')).to.equal(encrypted);
      expect(encryptSync(name, data, options).toString('hex')).to.equal(encrypted);
      expect(await decrypt(name, fromHex(encrypted), options)).to.deep.equal(Buffer.from(data));
      expect(decryptSync(name, fromHex(encrypted), options)).to.deep.equal(Buffer.from(data));
    });
  }

  it('give what node:crypto gives, of data of any length', async () => {
    const property = fc.asyncProperty(
      fc.uint8Array({ maxLength: 300 }),
      fc.uint8Array({ maxLength: 70 }),
      fc.constantFrom(4, 8, 12, 16),
      async (data, aad, authSize) => {
        const ctr = await encrypt('ctr(aes)', data, { key: KEY, iv: IV });
        expect(ctr).to.deep.equal(nodeCipher('aes-128-ctr', data, KEY, IV));
        const options = { key: KEY, iv: NONCE, aad, authSize };
        const gcm = await encrypt('gcm(aes)', data, options);
        expect(gcm).to.deep.equal(nodeGcm(data, aad, authSize));
        expect(await decrypt('gcm(aes)', gcm, options)).to.deep.equal(Buffer.from(data));
      },
    );
    await fc.assert(property, { numRuns: inLab ? 20 : 100 });
  });

  it('long data in pieces, where a mode allows it', async () => {
    const data = pattern(1_000_000 + 16 * 3);
    for (const [name, other] of [
      ['cbc(aes)', 'aes-128-cbc'],
      ['ecb(aes)', 'aes-128-ecb'],
      ['ctr(aes)', 'aes-128-ctr'],
      ['cfb(aes)', 'aes-128-cfb'],
    ] as const) {
      const iv = name === 'ecb(aes)' ? undefined : IV;
      const encrypted = await encrypt(name, data, { key: KEY, iv });
      expect(encrypted.equals(nodeCipher(other, data, KEY, iv ?? null)), name).to.equal(true);
      expect(decryptSync(name, encrypted, { key: KEY, iv }).equals(data), name).to.equal(true);
    }
    const odd = data.subarray(0, 200_001);
    expect(
      (await encrypt('ctr(aes)', odd, { key: KEY, iv: IV })).equals(nodeCipher('aes-128-ctr', odd, KEY, IV)),
    ).to.equal(true);
  });

  it('long data whole, where a mode wants it so, as far as there may be room', async () => {
    const key = Buffer.concat([KEY, IV]);
    const data = pattern(300_000);
    const xts = await encrypt('xts(aes)', data, { key, iv: IV });
    expect(xts.equals(nodeCipher('aes-128-xts', data, key, IV))).to.equal(true);
    expect(decryptSync('xts(aes)', xts, { key, iv: IV }).equals(data)).to.equal(true);
    const aad = pattern(20_000, 9);
    const gcm = encryptSync('gcm(aes)', data, { key: KEY, iv: NONCE, aad });
    expect(gcm.equals(nodeGcm(data, aad))).to.equal(true);
    expect((await decrypt('gcm(aes)', gcm, { key: KEY, iv: NONCE, aad })).equals(data)).to.equal(true);
  });

  it('data for which there can be no room is refused, not cut off', async () => {
    const data = Buffer.alloc(2 ** 25);
    for (const error of [
      await rejection(encrypt('gcm(aes)', data, { key: KEY, iv: NONCE })),
      thrown(() => encryptSync('xts(aes)', data, { key: Buffer.concat([KEY, IV]), iv: IV })),
    ]) {
      expect(error, error.message).to.include({ code: 'EMSGSIZE', syscall: 'sendmsg' });
      expect(error.message).to.include('SO_SNDBUF');
    }
  });

  itIf('root', 'a user without privileges is told what the administrator can do', async () => {
    const child = startNode(
      `
      import { encryptSync } from '@sock/alg';
      process.setegid(65534);
      process.seteuid(65534);
      try {
        encryptSync('gcm(aes)', new Uint8Array(2_000_000), { key: new Uint8Array(16), iv: new Uint8Array(12) });
      } catch ({ code, message }) {
        console.log(code, message);
      }
      `,
      { input: '' },
    );
    const { stdout } = await child.succeeded();
    expect(stdout).to.match(/^EMSGSIZE .*SO_SNDBUF.*net\.core\.wmem_max/);
  });

  it('an authenticated cipher of two parts', async () => {
    // a struct rtattr, the length of the cipher's key (network byte order), both keys
    const mac = pattern(32, 5);
    const key = Buffer.concat([fromHex('0800010000000010'), mac, KEY]);
    const data = pattern(64, 6);
    const aad = pattern(24, 7);
    const options = { key, iv: IV, aad, authSize: 32 };
    const result = await encrypt('authenc(hmac(sha256),cbc(aes))', data, options);
    const encrypted = nodeCipher('aes-128-cbc', data, KEY, IV);
    const tag = createHmac('sha256', mac).update(aad).update(encrypted).digest();
    expect(result).to.deep.equal(Buffer.concat([encrypted, tag]));
    expect(await decrypt('authenc(hmac(sha256),cbc(aes))', result, options)).to.deep.equal(data);
  });

  it('a tag that does not match gives nothing, wherever the change is', async () => {
    const options = { key: KEY, iv: NONCE, aad: 'header' };
    for (const data of [Buffer.from('some data'), Buffer.of()]) {
      const encrypted = encryptSync('gcm(aes)', data, options);
      for (let i = 0; i < encrypted.length; i += 5) {
        const changed = Buffer.from(encrypted);
        changed[i] = (changed[i] as number) ^ 1;
        const error = await rejection(decrypt('gcm(aes)', changed, options));
        expect(error).to.include({ code: 'EBADMSG', syscall: 'recvmsg' });
        expect(error.message).to.include('tag');
      }
      expect(thrown(() => decryptSync('gcm(aes)', encrypted, { ...options, aad: 'headex' }))).to.include({
        code: 'EBADMSG',
      });
    }
    const bare = { key: KEY, iv: NONCE };
    const tag = encryptSync('gcm(aes)', '', bare);
    expect(decryptSync('gcm(aes)', tag, bare)).to.have.length(0);
    tag[3] = (tag[3] as number) ^ 0x80;
    expect(
      thrown(() => decryptSync('gcm(aes)', tag, bare)),
      'a tag alone',
    ).to.include({ code: 'EBADMSG' });
  });

  it('no data is no data', async () => {
    expect(await encrypt('cbc(aes)', '', { key: KEY, iv: IV })).to.have.length(0);
    expect(await rejection(encrypt('cbc(aes)', '', { key: 'short', iv: IV }))).to.include({ code: 'EINVAL' });
  });

  it('say what is wrong with the algorithm, the key, the vector, the tag or the data', async () => {
    const good = { key: KEY, iv: IV };
    const table: [string, string, object, { code: string; syscall: string }, string][] = [
      ['cbc(rot13)', 'x', good, { code: 'ENOENT', syscall: 'bind' }, 'skcipher cbc(rot13)'],
      ['cbc(aes)', 'x', { ...good, type: 'aead' }, { code: 'ENOENT', syscall: 'bind' }, 'aead cbc(aes)'],
      ['cbc(aes)', 'x', { ...good, key: 'short' }, { code: 'EINVAL', syscall: 'setsockopt' }, 'ALG_SET_KEY'],
      ['cbc(aes)', 'x'.repeat(16), { ...good, iv: 'short' }, { code: 'EINVAL', syscall: 'sendmsg' }, 'vector'],
      ['cbc(aes)', 'not whole', good, { code: 'EINVAL', syscall: 'recv' }, 'whole blocks'],
      [
        'gcm(aes)',
        'x',
        { key: KEY, iv: NONCE, authSize: 3 },
        { code: 'EINVAL', syscall: 'setsockopt' },
        'ALG_SET_AEAD_AUTHSIZE',
      ],
    ];
    for (const [name, data, options, expected, text] of table) {
      const error = await rejection(encrypt(name, data, options as typeof good));
      expect(error, error.message).to.include(expected);
      expect(error.message).to.include(text);
      expect(thrown(() => encryptSync(name, data, options as typeof good))).to.include(expected);
    }
  });

  itIf(probe('command:kcapi-enc'), 'understand what kcapi-enc wrote, and the other way round', async () => {
    const [clear, secret, back, keyFile] = [tempPath(), tempPath(), tempPath(), tempPath()] as const;
    const data = pattern(4096);
    writeFileSync(clear, data);
    writeFileSync(keyFile, KEY);
    const kcapi = async (operation: string, from: string, to: string): Promise<void> => {
      const key = openSync(keyFile, 'r');
      try {
        const args = ['-q', '-c', 'cbc(aes)', operation, '--iv', IV.toString('hex'), '--keyfd', '3', '--nounpad'];
        args.push('-i', from, '-o', to);
        const { code, stdout, stderr } = await startCommand('kcapi-enc', args, { descriptors: [key], input: '' })
          .outcome;
        expect(code, `${stdout}${stderr}`).to.equal(0);
      } finally {
        closeSync(key);
      }
    };
    await kcapi('-e', clear, secret);
    const options = { key: KEY, iv: IV };
    expect((await decrypt('cbc(aes)', readFileSync(secret), options)).equals(data)).to.equal(true);
    writeFileSync(secret, await encrypt('cbc(aes)', data, options));
    await kcapi('-d', secret, back);
    expect(readFileSync(back).equals(data)).to.equal(true);
  });

  it('understand what Python wrote, and the other way round', async () => {
    const aad = Buffer.from('header');
    const data = pattern(1000);
    const ours = await encrypt('gcm(aes)', data, { key: KEY, iv: NONCE, aad });
    const output = await runPython(
      `
import socket, sys
key, iv, aad, data, theirs = (bytes.fromhex(text) for text in sys.argv[1:])
with socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET) as bound:
    bound.bind(('aead', 'gcm(aes)'))
    bound.setsockopt(socket.SOL_ALG, socket.ALG_SET_KEY, key)
    bound.setsockopt(socket.SOL_ALG, socket.ALG_SET_AEAD_AUTHSIZE, None, 16)
    operation, _ = bound.accept()
    with operation:
        operation.sendmsg_afalg([aad + data], op=socket.ALG_OP_ENCRYPT, iv=iv, assoclen=len(aad))
        print(operation.recv(len(aad) + len(data) + 16)[len(aad):].hex())
        operation.sendmsg_afalg([aad + theirs], op=socket.ALG_OP_DECRYPT, iv=iv, assoclen=len(aad))
        print(operation.recv(len(aad) + len(data))[len(aad):] == data)
`,
      [KEY, NONCE, aad, data, ours].map((bytes) => bytes.toString('hex')),
    );
    const [encrypted = '', understood] = output.split('\n');
    expect(understood).to.equal('True');
    expect((await decrypt('gcm(aes)', fromHex(encrypted), { key: KEY, iv: NONCE, aad })).equals(data)).to.equal(true);
  });
});
