import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SOCK_SEQPACKET, SOCK_STREAM, Socket } from '@sock/core';
import { type Child, capability, cleaner, describeIf, pattern, probe, startCommand, tempPath } from '@sock/testkit';
import { getLocalCid, VMADDR_CID_ANY, VMADDR_CID_HOST, vsock } from '@sock/vsock';
import { expect } from 'chai';

const CID = 3;

const host = capability({
  name: 'guests of vsock',
  remedy: 'modprobe vhost_vsock, in the kernel lab',
  probe() {
    // a module is loaded in the lab only, where it goes with the machine
    if (process.env.LAB_KERNEL === undefined) return false;
    execFileSync('modprobe', ['vhost_vsock'], { stdio: 'ignore' });
    return existsSync('/dev/vhost-vsock');
  },
});

/** The modules of a guest, in the order in which they are loaded. */
function moduleFiles(): string[] {
  const names = ['virtio_pci', 'vmw_vsock_virtio_transport'];
  const lines = names.flatMap((name) =>
    execFileSync('modprobe', ['--show-depends', name], { encoding: 'utf8' }).split('\n'),
  );
  return [...new Set(lines.flatMap((line) => /^insmod (\S+)/.exec(line)?.[1] ?? []))];
}

/** An initramfs whose only program is guest/init.c. */
function initramfs(): string {
  const root = tempPath();
  mkdirSync(join(root, 'modules'), { recursive: true });
  for (const name of ['dev', 'proc']) mkdirSync(join(root, name));
  const source = fileURLToPath(new URL('../test/guest/init.c', import.meta.url));
  execFileSync('cc', ['-O1', '-w', '-static', '-o', join(root, 'init'), source]);
  for (const [index, file] of moduleFiles().entries()) {
    const name = `${String(index).padStart(2, '0')}-${basename(file, '.xz')}`;
    const target = join(root, 'modules', name);
    if (file.endsWith('.xz')) writeFileSync(target, execFileSync('xz', ['-dc', file], { maxBuffer: 2 ** 26 }));
    else copyFileSync(file, target);
  }
  const image = tempPath('.cpio');
  execFileSync('sh', ['-c', 'cd "$0" && find . | cpio --quiet -o -H newc > "$1"', root, image]);
  return image;
}

// emulated, for the emulator of the lab may be no other: without ACPI, and with nothing to measure a clock by
const CMDLINE =
  'console=ttyS0 quiet panic=-1 reboot=t mitigations=off random.trust_cpu=1 nokaslr cryptomgr.notests=1 ' +
  'no_timer_check acpi=off tsc=reliable lpj=1000000 nosmp noapic';

function boot(): Child {
  const machine = ['-M', 'pc', '-accel', 'tcg,thread=single', '-cpu', 'qemu64', '-m', '128', '-no-reboot'];
  const kernel = ['-kernel', process.env.LAB_KERNEL as string, '-initrd', initramfs(), '-append', CMDLINE];
  const devices = ['-nodefaults', '-no-user-config', '-display', 'none', '-serial', 'stdio'];
  const guest = ['-device', `vhost-vsock-pci,guest-cid=${CID}`];
  return startCommand('qemu-system-x86_64', [...machine, ...kernel, ...devices, ...guest], { timeout: 110_000 });
}

const wanted = [host, probe('root'), ...['qemu-system-x86_64', 'cc', 'cpio'].map((name) => probe(`command:${name}`))];

describeIf(wanted, 'vsock between a host and its guest', function () {
  this.timeout(120_000);
  const own = cleaner();

  function listening(type: number, port: number) {
    const socket = own(new Socket(vsock, type));
    socket.bindSync({ cid: VMADDR_CID_ANY, port });
    socket.listen();
    return socket;
  }

  it('streams and messages go both ways, each knows the other by its CID, and the end of a guest is an end', async () => {
    expect(getLocalCid()).to.equal(VMADDR_CID_HOST);
    const [streams, messages] = [listening(SOCK_STREAM, 9100), listening(SOCK_SEQPACKET, 9101)];
    const guest = own(boot());
    const gone = guest.outcome.then(({ stdout }) => {
      throw new Error(`the guest has ended:\n${stdout}`);
    });
    gone.catch(() => {});

    const { socket: stream, address } = await Promise.race([streams.accept(), gone]);
    own(stream);
    expect(address).to.have.property('cid', CID);
    expect(stream.getpeername()).to.deep.equal(address);
    expect((await stream.recv(100)).toString()).to.equal(`I am ${CID}\n`);
    await stream.sendAll('from the host');
    expect((await stream.recv(100)).toString()).to.equal('from the host');

    const packets = own((await Promise.race([messages.accept(), gone])).socket);
    expect((await packets.recv(100)).toString()).to.equal('one');
    expect((await packets.recv(100)).toString()).to.equal('three');

    const client = own(new Socket(vsock));
    await client.connect({ cid: CID, port: 9200 });
    const sent = pattern(100_000, 1);
    const sending = client.sendAll(sent);
    const echoed: Buffer[] = [];
    for (let left = sent.length; left > 0; left -= echoed.at(-1)?.length ?? 0) echoed.push(await client.recv(left));
    await sending;
    expect(Buffer.concat(echoed).equals(sent)).to.equal(true);
    client.close();

    const last = stream.recv(100).then(
      (data) => data.length,
      ({ code }) => code,
    );
    stream.shutdown(1);
    const { stdout } = await guest.outcome;
    expect(stdout).to.include('guest: over');
    expect(await last).to.be.oneOf([0, 'ECONNRESET']);
    const nobody = own(new Socket(vsock));
    await nobody.connect({ cid: CID, port: 9200 }).then(
      () => expect.fail('connected to a guest that is gone'),
      ({ code }) => expect(code).to.be.oneOf(['ENODEV', 'ETIMEDOUT', 'ECONNRESET', 'EHOSTUNREACH']),
    );
  });
});
