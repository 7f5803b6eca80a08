import { fromHex } from './bytes.js';

/** A digest, or an authentication code, whose value others have published. */
export interface DigestVector {
  source: string;
  name: string;
  key?: Uint8Array;
  data: Uint8Array;
  digest: string;
}

const abc = Buffer.from('abc');
const rfc4231 = Buffer.from('what do ya want for nothing?');
const larger = Buffer.from('Test Using Larger Than Block-Size Key - Hash Key First');
const aesKey = fromHex('2b7e151628aed2a6abf7158809cf4f3c');

export const DIGESTS: readonly DigestVector[] = [
  { source: 'FIPS 180', name: 'sha1', data: abc, digest: 'a9993e364706816aba3e25717850c26c9cd0d89d' },
  {
    source: 'FIPS 180',
    name: 'sha256',
    data: abc,
    digest: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  },
  {
    source: 'FIPS 180, no data',
    name: 'sha256',
    data: Buffer.of(),
    digest: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  },
  {
    source: 'FIPS 180',
    name: 'sha512',
    data: abc,
    digest:
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a' +
      '2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
  },
  {
    source: 'FIPS 202',
    name: 'sha3-256',
    data: abc,
    digest: '3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532',
  },
  { source: 'RFC 1321', name: 'md5', data: abc, digest: '900150983cd24fb0d6963f7d28e17f72' },
  {
    source: 'RFC 4231, 1',
    name: 'hmac(sha256)',
    key: Buffer.alloc(20, 0x0b),
    data: Buffer.from('Hi There'),
    digest: 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
  },
  {
    source: 'RFC 4231, 2',
    name: 'hmac(sha256)',
    key: Buffer.from('Jefe'),
    data: rfc4231,
    digest: '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  },
  {
    source: 'RFC 4231, 2',
    name: 'hmac(sha512)',
    key: Buffer.from('Jefe'),
    data: rfc4231,
    digest:
      '164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554' +
      '9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737',
  },
  {
    source: 'RFC 4231, 6',
    name: 'hmac(sha256)',
    key: Buffer.alloc(131, 0xaa),
    data: larger,
    digest: '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  },
  {
    source: 'RFC 4493, 1',
    name: 'cmac(aes)',
    key: aesKey,
    data: Buffer.of(),
    digest: 'bb1d6929e95937287fa37d129b756746',
  },
  {
    source: 'RFC 4493, 2',
    name: 'cmac(aes)',
    key: aesKey,
    data: fromHex('6bc1bee22e409f96e93d7e117393172a'),
    digest: '070a16b46b4d4144f79bdd9dd04a287c',
  },
];

/** A cipher's input and output that others have published. */
export interface CipherVector {
  source: string;
  name: string;
  key: Uint8Array;
  iv?: Uint8Array;
  aad?: Uint8Array;
  authSize?: number;
  data: Uint8Array;
  /** With the tag behind it, for an AEAD cipher. */
  encrypted: string;
}

const counted = (first: number, count: number): Buffer =>
  Buffer.from(Array.from({ length: count }, (_, i) => first + i));

const sp800 = fromHex(
  '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51' +
    '30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710',
);

const gcmData = fromHex(
  'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72' +
    '1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
);

export const CIPHERS: readonly CipherVector[] = [
  {
    source: 'SP 800-38A, F.1.1',
    name: 'ecb(aes)',
    key: aesKey,
    data: sp800,
    encrypted:
      '3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf' +
      '43b1cd7f598ece23881b00e3ed0306887b0c785e27e8ad3f8223207104725dd4',
  },
  {
    source: 'SP 800-38A, F.2.1',
    name: 'cbc(aes)',
    key: aesKey,
    iv: counted(0, 16),
    data: sp800,
    encrypted:
      '7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2' +
      '73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7',
  },
  {
    source: 'SP 800-38A, F.3.13',
    name: 'cfb(aes)',
    key: aesKey,
    iv: counted(0, 16),
    data: sp800,
    encrypted:
      '3b3fd92eb72dad20333449f8e83cfb4ac8a64537a0b3a93fcde3cdad9f1ce58b' +
      '26751f67a3cbb140b1808cf187a4f4dfc04b05357c5d1c0eeac4c66f9ff7f2e6',
  },
  {
    source: 'SP 800-38A, F.5.1',
    name: 'ctr(aes)',
    key: aesKey,
    iv: counted(0xf0, 16),
    data: sp800,
    encrypted:
      '874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff' +
      '5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee',
  },
  {
    source: 'IEEE 1619, 2',
    name: 'xts(aes)',
    key: Buffer.concat([Buffer.alloc(16, 0x11), Buffer.alloc(16, 0x22)]),
    iv: Buffer.concat([Buffer.alloc(5, 0x33), Buffer.alloc(11)]),
    data: Buffer.alloc(32, 0x44),
    encrypted: 'c454185e6a16936e39334038acef838bfb186fff7480adc4289382ecd6d394f0',
  },
  {
    source: 'McGrew and Viega, 1: neither data nor associated data',
    name: 'gcm(aes)',
    key: Buffer.alloc(16),
    iv: Buffer.alloc(12),
    data: Buffer.of(),
    encrypted: '58e2fccefa7e3061367f1d57a4e7455a',
  },
  {
    source: 'McGrew and Viega, 2',
    name: 'gcm(aes)',
    key: Buffer.alloc(16),
    iv: Buffer.alloc(12),
    data: Buffer.alloc(16),
    encrypted: '0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf',
  },
  {
    source: 'McGrew and Viega, 4',
    name: 'gcm(aes)',
    key: fromHex('feffe9928665731c6d6a8f9467308308'),
    iv: fromHex('cafebabefacedbaddecaf888'),
    aad: fromHex('feedfacedeadbeeffeedfacedeadbeefabaddad2'),
    data: gcmData,
    encrypted:
      '42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e' +
      '21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47',
  },
  {
    source: 'RFC 3610, 1',
    name: 'ccm(aes)',
    key: counted(0xc0, 16),
    // as the kernel wants it: one less than the bytes of the length, the nonce, zeros
    iv: fromHex('0100000003020100a0a1a2a3a4a50000'),
    aad: counted(0, 8),
    authSize: 8,
    data: counted(8, 23),
    encrypted: '588c979a61c663d2f066d0c2c0f989806d5f6b61dac38417e8d12cfdf926e0',
  },
  {
    source: 'RFC 8439, 2.8.2',
    name: 'rfc7539(chacha20,poly1305)',
    key: counted(0x80, 32),
    iv: fromHex('070000004041424344454647'),
    aad: fromHex('50515253c0c1c2c3c4c5c6c7'),
    data: Buffer.from(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
    ),
    encrypted:
      'd31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6' +
      '3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36' +
      '92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc' +
      '3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691',
  },
];
