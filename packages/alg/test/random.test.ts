import { createCipheriv } from 'node:crypto';
import {
  AlgSocket,
  algSetDrbgEntropy,
  algSetKey,
  type CryptoAlgorithm,
  cryptoAlgorithms,
  randomBytes,
  randomBytesSync,
} from '@sock/alg';
import { describeIf, itIf, pattern, probe, rejection, startCommand, thrown } from '@sock/testkit';
import { expect } from 'chai';
import { fromHex } from './bytes.js';

describeIf('AF_ALG', 'randomBytes', () => {
  it('gives as many as were asked for, and others each time', async () => {
    for (const size of [0, 1, 127, 128, 129, 5000]) {
      expect(await randomBytes(size)).to.have.length(size);
      expect(randomBytesSync(size)).to.have.length(size);
    }
    const many = await Promise.all(Array.from({ length: 8 }, () => randomBytes(16)));
    expect(new Set(many.map((bytes) => bytes.toString('hex'))).size).to.equal(8);
    const spread = new Set(await randomBytes(5000));
    expect(spread.size).to.equal(256);
  });

  it('of a generator of one’s choice, with a seed', async () => {
    for (const name of ['jitterentropy_rng', 'drbg_nopr_hmac_sha256', 'drbg_pr_ctr_aes256']) {
      expect(await randomBytes(32, { name, seed: 'a personalization string' })).to.have.length(32);
    }
  });

  it('of a generator that is nothing but its seed', async () => {
    const [v, key, time] = [fromHex('f0'.padEnd(32, '0')), pattern(16, 5), pattern(16, 6)];
    const seed = Buffer.concat([v, key, time]);
    // ANSI X9.31, appendix A.2.4
    const block = (bytes: Uint8Array): Buffer => createCipheriv('aes-128-ecb', key, null).update(bytes);
    const expected = block(block(time).map((byte, i) => byte ^ (v[i] as number))).toString('hex');
    expect((await randomBytes(16, { name: 'ansi_cprng', seed })).toString('hex')).to.equal(expected);
    expect(randomBytesSync(16, { name: 'ansi_cprng', seed }).toString('hex')).to.equal(expected);
    const error = await rejection(randomBytes(16, { name: 'ansi_cprng' }));
    expect(error).to.include({ code: 'EINVAL', syscall: 'setsockopt' });
    expect(error.message).to.include('seed');
  });

  it('a generator without a seed says what is missing, and gives once it has one', async () => {
    using bound = new AlgSocket();
    await bound.bind({ type: 'rng', name: 'stdrng' });
    {
      using unseeded = (await bound.accept()).socket;
      const error = thrown(() => unseeded.recvSync(16));
      expect(error).to.include({ code: 'EINVAL', syscall: 'recv' });
      expect(error.message).to.include('seed').and.include('ALG_SET_KEY');
    }
    bound.setOption(algSetKey, '');
    using seeded = (await bound.accept()).socket;
    expect(await seeded.recv(1000), 'what one call gives at most').to.have.length(128);
  });

  it('says what is wrong with the generator', async () => {
    expect(await rejection(randomBytes(1, { name: 'dice' }))).to.include({ code: 'ENOENT', syscall: 'bind' });
    using bound = new AlgSocket();
    await bound.bind({ type: 'rng', name: 'stdrng' });
    const error = thrown(() => bound.setOption(algSetDrbgEntropy, 'entropy'));
    // as the kernel is configured, and allows
    expect(error.code).to.be.oneOf(['ENOPROTOOPT', 'EPERM']);
    expect(error.message).to.include('ALG_SET_DRBG_ENTROPY');
  });

  it('its generators are listed', () => {
    const generators: CryptoAlgorithm[] = cryptoAlgorithms().filter(({ type }) => type === 'rng');
    expect(generators.map(({ driver }) => driver)).to.include('jitterentropy_rng');
    const drbg = generators.find(({ driver }) => driver === 'drbg_nopr_hmac_sha256');
    expect(drbg).to.include({ name: 'stdrng', seedSize: 0, internal: false, passed: true });
  });

  itIf(probe('command:kcapi-rng'), 'kcapi-rng gets them from the same place', async () => {
    const child = startCommand('kcapi-rng', ['-b', '64', '-n', 'drbg_nopr_hmac_sha256', '--hex', '-q'], { input: '' });
    const { code, stdout } = await child.outcome;
    expect(code).to.equal(0);
    expect(stdout.trim()).to.match(/^[0-9a-f]{128}$/);
  });
});
