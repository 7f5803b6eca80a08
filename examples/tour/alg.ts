import { createHmac } from 'node:crypto';
import { decrypt, digest, encrypt, randomBytes } from '@sock/alg';
import type { Step } from './step.js';

const hash: Step = {
  family: 'alg hash',
  async run() {
    const code = await digest('hmac(sha256)', 'from the tour', { key: 'a key' });
    const same = createHmac('sha256', 'a key').update('from the tour').digest().equals(code);
    if (!same) throw new Error('the kernel and node:crypto disagree');
    return `hmac(sha256) of the kernel, ${code.toString('hex', 0, 8)}…, is that of node:crypto`;
  },
};

const aead: Step = {
  family: 'alg aead',
  async run() {
    const key = await randomBytes(32);
    const iv = await randomBytes(12);
    const options = { key, iv, aad: 'header' };
    const secret = await encrypt('gcm(aes)', 'attack at dawn', options);
    const clear = await decrypt('gcm(aes)', secret, options);
    return `key and nonce of the kernel's generator; gcm(aes) made ${secret.length} bytes, and '${clear}' of them again`;
  },
};

export const algSteps: readonly Step[] = [hash, aead];
