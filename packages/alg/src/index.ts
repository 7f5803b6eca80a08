export { type AlgAddress, type AlgInput, alg } from './address.js';
export { type CryptoAlgorithm, cryptoAlgorithms, parseAlgorithms } from './algorithms.js';
export { scmAlgSetAeadAssoclen, scmAlgSetIv, scmAlgSetOp } from './ancillary.js';
export { type CipherOptions, decrypt, decryptSync, encrypt, encryptSync } from './cipher.js';
export * from './constants.gen.js';
export { type DigestOptions, digest, digestSync } from './digest.js';
export { algSetAeadAuthsize, algSetDrbgEntropy, algSetKey, algSetKeyByKeySerial } from './options.js';
export { type RandomBytesOptions, randomBytes, randomBytesSync } from './random.js';
export { type AlgRequest, AlgSocket, type SendmsgAfalgOptions } from './socket.js';
