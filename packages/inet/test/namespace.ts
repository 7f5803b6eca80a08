import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Capability, capability, startCommand, stripTypes } from '@sock/testkit';

/**
 * Namespaces of one's own: the machine's settings and routes stay as they are. Source: unshare(1),
 * user_namespaces(7).
 */
export const namespaces: Capability = capability({
  name: 'user namespaces',
  remedy: 'apt-get install util-linux iproute2, and sysctl -w kernel.unprivileged_userns_clone=1, or run as root',
  probe: () => execFileSync('unshare', ['-rnm', 'sh', '-c', 'ip link set lo up'], { stdio: 'ignore' }),
});

/** As `namespaces`, with pairs of virtual links. */
export const links: Capability = capability({
  name: 'veth',
  remedy: 'modprobe veth',
  probe: () =>
    execFileSync('unshare', ['-rn', 'sh', '-c', 'ip link add link0 type veth peer name link1'], { stdio: 'ignore' }),
});

/**
 * Runs a TypeScript program in network and mount namespaces of its own, in which `lo` is up; it must succeed.
 * @param setup shell commands to run before
 * @returns its standard output
 */
export async function inNamespace(setup: string, program: string): Promise<string> {
  const shell = `set -e\nip link set lo up\n${setup}\nexec "$0" --input-type=module --eval "$1"`;
  const args = ['-rnm', 'sh', '-c', shell, process.execPath, stripTypes(program)];
  const child = startCommand('unshare', args, { input: '', cwd: fileURLToPath(new URL('..', import.meta.url)) });
  return (await child.succeeded()).stdout;
}
