import type { TlsOptions } from 'node:tls';

// TLS with a key that both sides know: no certificate that would have to be kept, and would run out
const psk = Buffer.from('a key that is no secret');
const common = { ciphers: 'PSK', maxVersion: 'TLSv1.2' } as const;

/** Options of a TLS server for the tests. */
export const SERVER: TlsOptions = { ...common, pskCallback: () => psk };

/** Options of its clients. */
export const CLIENT = {
  ...common,
  pskCallback: () => ({ psk, identity: 'test' }),
  checkServerIdentity: () => undefined,
};
