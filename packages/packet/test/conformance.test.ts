import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Child, describeIf, probe, scaled } from '@sock/testkit';
import { links, namespaces, UNSHARE } from './support/namespace.js';

const mocha = createRequire(import.meta.url).resolve('mocha/bin/mocha.js');
const suite = fileURLToPath(new URL('in-namespace/conformance.js', import.meta.url));
const folder = fileURLToPath(new URL('..', import.meta.url));

describeIf([probe('AF_PACKET'), namespaces, links], 'conformance: packet datagrams, over a link of their own', () => {
  it('passes', async () => {
    const args = [...UNSHARE, process.execPath, mocha, '--reporter', 'dot', suite];
    const child = new Child('unshare', args, { input: '', cwd: folder, timeout: 110_000 });
    const { code, stdout, stderr } = await child.outcome;
    if (code !== 0) throw new Error(`${stdout}${stderr}`);
  }).timeout(scaled(120_000));
});
