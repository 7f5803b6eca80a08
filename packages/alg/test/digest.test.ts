import { createHash, createHmac } from 'node:crypto';
import { digest, digestSync } from '@sock/alg';
import { describeIf, inLab, itIf, pattern, probe, rejection, runPython, startCommand, thrown } from '@sock/testkit';
import { expect } from 'chai';
import fc from 'fast-check';
import { DIGESTS } from './vectors.js';

describeIf('AF_ALG', 'digest', function () {
  this.timeout(30_000);

  for (const { source, name, key, data, digest: expected } of DIGESTS) {
    it(`${name} (${source})`, async () => {
      expect((await digest(name, data, { key })).toString('hex')).to.equal(expected);
      expect(digestSync(name, data, { key }).toString('hex')).to.equal(expected);
    });
  }

  it('is that of node:crypto, of data of any length and with any key', async () => {
    const property = fc.asyncProperty(
      fc.uint8Array({ maxLength: 300 }),
      fc.uint8Array({ minLength: 1, maxLength: 150 }),
      async (data, key) => {
        expect(await digest('sha512', data)).to.deep.equal(createHash('sha512').update(data).digest());
        expect(await digest('hmac(sha1)', data, { key })).to.deep.equal(createHmac('sha1', key).update(data).digest());
      },
    );
    await fc.assert(property, { numRuns: inLab ? 20 : 100 });
  });

  it('of long data, in pieces', async () => {
    const data = pattern(3_000_001);
    const expected = createHash('sha256').update(data).digest('hex');
    expect((await digest('sha256', data)).toString('hex')).to.equal(expected);
    expect(digestSync('sha256', data).toString('hex')).to.equal(expected);
  });

  it('takes strings, views and buffers, and several at a time', async () => {
    const expected = createHash('md5').update('žluťoučký').digest('hex');
    const bytes = Buffer.from('žluťoučký');
    const forms = ['žluťoučký', bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length)] as const;
    const digests = await Promise.all(forms.map((form) => digest('md5', form)));
    for (const one of digests) expect(one.toString('hex')).to.equal(expected);
  });

  it('says what is wrong with the algorithm or the key', async () => {
    for (const error of [await rejection(digest('sha1024', 'x')), thrown(() => digestSync('sha1024', 'x'))]) {
      expect(error).to.include({ code: 'ENOENT', syscall: 'bind' });
      expect(error.message).to.include('hash sha1024').and.include('/proc/crypto');
    }
    expect(await rejection(digest('gcm(aes)', 'x'))).to.include({ code: 'ENOENT', syscall: 'bind' });
    const keyless = await rejection(digest('hmac(sha256)', 'x'));
    expect(keyless).to.include({ code: 'ENOKEY' });
    expect(keyless.message).to.include('ALG_SET_KEY');
    const wrong = await rejection(digest('cmac(aes)', 'x', { key: 'five!' }));
    expect(wrong).to.include({ code: 'EINVAL', syscall: 'setsockopt' });
    expect(wrong.message).to.include('ALG_SET_KEY').and.include('size');
    expect(thrown(() => digestSync('sha256', 'x', { key: 'none' }))).to.include({ syscall: 'setsockopt' });
  });

  itIf(probe('command:kcapi-dgst'), 'is that of kcapi-dgst', async () => {
    const data = pattern(100_000);
    const child = startCommand('kcapi-dgst', ['-c', 'sha256', '--hex', '-q'], { input: data });
    const { stdout } = await child.succeeded();
    expect(stdout.trim()).to.equal((await digest('sha256', data)).toString('hex'));
  });

  it('is that of Python', async () => {
    const output = await runPython(`
import socket
with socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET) as bound:
    bound.bind(('hash', 'hmac(sha384)'))
    bound.setsockopt(socket.SOL_ALG, socket.ALG_SET_KEY, b'the key')
    operation, _ = bound.accept()
    with operation:
        operation.sendall(b'the data')
        print(operation.recv(64).hex())
`);
    expect((await digest('hmac(sha384)', 'the data', { key: 'the key' })).toString('hex')).to.equal(output.trim());
  });
});
