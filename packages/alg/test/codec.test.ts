import {
  ALG_OP_SIGN,
  ALG_OP_VERIFY,
  ALG_SET_AEAD_ASSOCLEN,
  ALG_SET_DRBG_ENTROPY,
  ALG_SET_PUBKEY,
  type AlgInput,
  alg,
  algSetAeadAuthsize,
  algSetDrbgEntropy,
  algSetKey,
  algSetKeyByKeySerial,
  type CipherOptions,
  CRYPTO_ALG_KERN_DRIVER_ONLY,
  type CryptoAlgorithm,
  type DigestOptions,
  decrypt,
  decryptSync,
  digest,
  digestSync,
  encrypt,
  encryptSync,
  parseAlgorithms,
  type RandomBytesOptions,
  randomBytes,
  randomBytesSync,
  SOL_ALG,
  scmAlgSetAeadAssoclen,
  scmAlgSetIv,
  scmAlgSetOp,
} from '@sock/alg';
import { AF_ALG, readU32, SOCK_SEQPACKET, type WriteonlyOption, writeU16 } from '@sock/core';
import { rejection, socketInfo, thrown } from '@sock/testkit';
import { expect } from 'chai';
import fc from 'fast-check';

const info = socketInfo(AF_ALG, { type: SOCK_SEQPACKET });

function encode(input: AlgInput): Buffer {
  const into = Buffer.alloc(128);
  writeU16(into, AF_ALG, 0);
  return into.subarray(0, alg.encode(input, into, info));
}

const text = (maxLength: number) =>
  fc
    .string({ unit: 'grapheme', minLength: 1, maxLength })
    .filter((value) => !value.includes('\0') && Buffer.byteLength(value) <= maxLength);
const word = fc.nat(0xffffffff);
const address = fc.record({ type: text(13), name: text(103), features: word, mask: word });

describe('alg addresses', () => {
  it('are themselves after a round trip', () => {
    fc.assert(
      fc.property(address, (input) => {
        expect(alg.decode(encode(input), info)).to.deep.equal(input);
      }),
    );
  });

  it('are the structure that every kernel takes, and a longer one for long names', () => {
    const sockaddr = encode({ type: 'hash', name: 'sha256', features: CRYPTO_ALG_KERN_DRIVER_ONLY, mask: 0xffffffff });
    expect(sockaddr).to.have.length(88);
    expect(sockaddr.toString('latin1', 2, 16)).to.equal('hash'.padEnd(14, '\0'));
    expect(sockaddr.toString('latin1', 24)).to.equal('sha256'.padEnd(64, '\0'));
    expect([readU32(sockaddr, 16), readU32(sockaddr, 20)]).to.deep.equal([0x1000, 0xffffffff]);
    expect(encode({ type: 'hash', name: 'x'.repeat(63) })).to.have.length(88);
    expect(encode({ type: 'hash', name: 'x'.repeat(64) })).to.have.length(89);
    expect(encode({ type: 'hash', name: 'x'.repeat(103) })).to.have.length(128);
  });

  it('never crash on what the kernel might give, whole or cut off', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 128 }), (bytes) => {
        if (bytes.length <= 24) {
          expect(thrown(() => alg.decode(bytes, info))).to.be.instanceOf(RangeError);
          return;
        }
        expect(alg.format(alg.decode(bytes, info))).to.be.a('string');
      }),
    );
  });

  it('refuse what no algorithm is, naming the member', () => {
    const table: [unknown, string, typeof TypeError | typeof RangeError][] = [
      [undefined, 'address', TypeError],
      ['sha256', 'address', TypeError],
      [{ host: '127.0.0.1', port: 1 }, 'address', RangeError],
      [{ type: 'hash', name: 'x', size: 1 }, 'address', RangeError],
      [{ type: 'hash' }, 'address.name', TypeError],
      [{ type: 5, name: 'x' }, 'address.type', TypeError],
      [{ type: '', name: 'x' }, 'address.type', RangeError],
      [{ type: 'x'.repeat(14), name: 'x' }, 'address.type', RangeError],
      [{ type: 'ha\0sh', name: 'x' }, 'address.type', RangeError],
      [{ type: 'hash', name: '' }, 'address.name', RangeError],
      [{ type: 'hash', name: 'x'.repeat(104) }, 'address.name', RangeError],
      [{ type: 'hash', name: 'x', features: -1 }, 'address.features', RangeError],
      [{ type: 'hash', name: 'x', mask: '1' }, 'address.mask', TypeError],
    ];
    for (const [input, argument, kind] of table) {
      const error = thrown(() => encode(input as AlgInput));
      expect(error, argument).to.be.instanceOf(kind);
      expect(error).to.include({ argument });
    }
  });

  it('are formatted for people', () => {
    expect(alg.format(alg.decode(encode({ type: 'aead', name: 'gcm(aes)' }), info))).to.equal('aead gcm(aes)');
  });
});

describe('alg control messages', () => {
  it('are themselves after a round trip, and undefined where they are too short', () => {
    for (const message of [scmAlgSetOp, scmAlgSetAeadAssoclen]) {
      fc.assert(
        fc.property(word, (value) => {
          const item = message.create(value);
          expect(item).to.include({ level: SOL_ALG, type: message.type });
          expect(message.find([item])).to.equal(value);
          for (let length = 0; length < 4; length++) {
            expect(message.find([{ ...item, data: item.data.subarray(0, length) }])).to.equal(undefined);
          }
        }),
      );
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (value) => {
        const item = scmAlgSetIv.create(value);
        expect(scmAlgSetIv.find([item])).to.deep.equal(value);
        for (let length = 0; length < item.data.length; length++) {
          expect(scmAlgSetIv.find([{ ...item, data: item.data.subarray(0, length) }])).to.equal(undefined);
        }
      }),
    );
    expect(scmAlgSetAeadAssoclen.type).to.equal(ALG_SET_AEAD_ASSOCLEN);
  });

  it('never crash on random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (data) => {
        for (const { decode } of [scmAlgSetOp, scmAlgSetAeadAssoclen, scmAlgSetIv]) decode(data);
      }),
    );
  });

  it('refuse what they do not accept', () => {
    for (const value of [-1, 0.5, 2 ** 32]) expect(() => scmAlgSetOp.create(value)).to.throw(RangeError);
    expect(() => scmAlgSetIv.create(5 as unknown as string)).to.throw(TypeError);
  });
});

describe('alg options', () => {
  const encoded = <T>(option: WriteonlyOption<T>, value: T) => option.encode?.(value, info);

  it('are bytes, a serial number, or a length', () => {
    const bytes = Uint8Array.of(1, 2, 3);
    expect(encoded(algSetKey, bytes)).to.equal(bytes);
    expect(encoded(algSetDrbgEntropy, 'ab')).to.deep.equal(Buffer.from('ab'));
    expect(encoded(algSetAeadAuthsize, 12)).to.equal(12);
    expect(encoded(algSetKeyByKeySerial, -3)).to.equal(-3);
    for (const option of [algSetKey, algSetDrbgEntropy]) {
      expect(() => encoded(option, 5 as unknown as string)).to.throw(TypeError);
    }
    for (const option of [algSetAeadAuthsize, algSetKeyByKeySerial]) {
      expect(() => encoded(option, 2 ** 31)).to.throw(RangeError);
    }
  });

  it('of patched kernels have numbers of their own, one of which Linux took for something else', () => {
    expect([ALG_OP_SIGN, ALG_OP_VERIFY, ALG_SET_PUBKEY]).to.deep.equal([2, 3, ALG_SET_DRBG_ENTROPY]);
  });
});

describe('/proc/crypto', () => {
  const TEXT = `name         : __gcm(aes)
driver       : __generic-gcm-aesni
module       : aesni_intel
priority     : 400
refcnt       : 1
selftest     : unknown
internal     : yes
type         : aead
async        : no
blocksize    : 1
ivsize       : 12
maxauthsize  : 16
geniv        : <none>

name         : cbc(aes)
driver       : cbc-aes-aesni
module       : aesni_intel
priority     : 400
refcnt       : 1
selftest     : passed
internal     : no
type         : skcipher
async        : yes
blocksize    : 16
min keysize  : 16
max keysize  : 32
ivsize       : 16
chunksize    : 16
walksize     : 16

`;

  it('is read', () => {
    const algorithms: CryptoAlgorithm[] = parseAlgorithms(TEXT);
    expect(algorithms).to.deep.equal([
      {
        name: '__gcm(aes)',
        driver: '__generic-gcm-aesni',
        module: 'aesni_intel',
        priority: 400,
        type: 'aead',
        internal: true,
        passed: false,
        blockSize: 1,
        ivSize: 12,
        maxAuthSize: 16,
      },
      {
        name: 'cbc(aes)',
        driver: 'cbc-aes-aesni',
        module: 'aesni_intel',
        priority: 400,
        type: 'skcipher',
        internal: false,
        passed: true,
        blockSize: 16,
        minKeySize: 16,
        maxKeySize: 32,
        ivSize: 16,
      },
    ]);
  });

  it('never crashes its reader, cut off or full of something else', () => {
    for (let length = 0; length < TEXT.length; length += 7) {
      expect(parseAlgorithms(TEXT.slice(0, length)).length).to.be.at.most(2);
    }
    fc.assert(
      fc.property(fc.string(), (noise) => {
        expect(parseAlgorithms(noise)).to.be.an('array');
      }),
    );
  });
});

describe('alg helpers', () => {
  const key = Buffer.alloc(16);
  const iv = Buffer.alloc(16);

  async function refused(promise: () => Promise<unknown>, sync: () => unknown, argument: string): Promise<void> {
    for (const error of [await rejection(promise()), thrown(sync)]) {
      expect(error.code, error.message).to.be.oneOf(['ERR_INVALID_ARG_TYPE', 'ERR_OUT_OF_RANGE']);
      expect(error).to.include({ argument });
    }
  }

  it('refuse what they do not accept before any system call', async () => {
    const digests: [unknown[], string][] = [
      [[5, 'x'], 'name'],
      [['sha256', 5], 'data'],
      [['sha256', 'x', null], 'options'],
      [['hmac(sha256)', 'x', { key: 5 } as unknown as DigestOptions], 'options.key'],
    ];
    for (const [args, argument] of digests) {
      const given = args as Parameters<typeof digest>;
      await refused(
        () => digest(...given),
        () => digestSync(...given),
        argument,
      );
    }
    const ciphers: [unknown[], string][] = [
      [[undefined, 'x', { key, iv }], 'name'],
      [['cbc(aes)', 5, { key, iv }], 'data'],
      [['cbc(aes)', 'x'], 'options'],
      [['cbc(aes)', 'x', { iv }], 'options.key'],
      [['cbc(aes)', 'x', { key }], 'options.iv'],
      [['cbc(aes)', 'x', { key, iv: 5 }], 'options.iv'],
      [['cbc(aes)', 'x', { key, iv, aad: 'x' }], 'options.aad'],
      [['cbc(aes)', 'x', { key, iv, authSize: 16 }], 'options.authSize'],
      [['gcm(aes)', 'x', { key, iv, aad: 5 }], 'options.aad'],
      [['gcm(aes)', 'x', { key, iv, authSize: -1 }], 'options.authSize'],
      [['gcm(aes)', 'x', { key, iv, type: 'hash' }], 'options.type'],
    ];
    for (const [args, argument] of ciphers) {
      const given = args as [string, string, CipherOptions];
      await refused(
        () => encrypt(...given),
        () => encryptSync(...given),
        argument,
      );
    }
    const short = ['gcm(aes)', 'fifteen bytes..', { key, iv }] as const;
    await refused(
      () => decrypt(...short),
      () => decryptSync(...short),
      'data',
    );
    const generators: [unknown, RandomBytesOptions, string][] = [
      ['5', {}, 'size'],
      [-1, {}, 'size'],
      [1, { name: 5 } as unknown as RandomBytesOptions, 'options.name'],
      [1, { seed: 5 } as unknown as RandomBytesOptions, 'options.seed'],
    ];
    for (const [size, options, argument] of generators) {
      await refused(
        () => randomBytes(size as number, options),
        () => randomBytesSync(size as number, options),
        argument,
      );
    }
  });

  it('say what is missing, and what to use instead', () => {
    const explain = (syscall: string, code: string) =>
      alg.explain?.({ syscall, code, type: SOCK_SEQPACKET, protocol: 0 });
    expect(explain('socket', 'EAFNOSUPPORT')).to.include('modprobe af_alg').and.include('node:crypto');
    expect(explain('bind', 'ENOENT')).to.include('algif_skcipher').and.include('/proc/crypto');
    expect(explain('recvmsg', 'EBADMSG')).to.include('tag');
    expect(explain('recv', 'EINVAL')).to.include('seed');
    expect(explain('close', 'EIO')).to.equal(undefined);
  });
});
