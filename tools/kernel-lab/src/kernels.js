// The kernels in the lab's cache: where they are, and what is missing before one can boot.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of this package. */
export const LAB = dirname(dirname(fileURLToPath(import.meta.url)));

/** The lab cannot run on this machine, or has not been set up. `status` is what a program should exit with. */
export class LabUnavailableError extends Error {
  /** EX_UNAVAILABLE of sysexits.h. */
  status = 69;
  code = 'ERR_LAB_UNAVAILABLE';
  /** @override */
  name = 'LabUnavailableError';
}

/**
 * @typedef {object} Kernel
 * @property {string} name the package and its version
 * @property {string} vmlinux
 * @property {string} initrd
 * @property {string} modules the folder that becomes /lib/modules
 */

function cacheFolder() {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'sock-kernel-lab');
}

/**
 * The path of an executable, looked for in PATH and in the administrator's folders.
 *
 * @param {string} program
 * @returns {string | null}
 */
export function findProgram(program) {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']) {
    const path = join(folder, program);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // not in this one
    }
  }
  return null;
}

/** @param {string[]} command */
function kernelScript(command) {
  try {
    const output = execFileSync(join(LAB, 'kernel.sh'), command, { stdio: ['ignore', 'pipe', 'inherit'] });
    return output.toString().trim();
  } catch (cause) {
    throw new LabUnavailableError(`kernel.sh ${command.join(' ')} failed`, { cause });
  }
}

/** The folder of a kernel: unpacked from packages (comma-separated paths), or of a name in the cache.
 * @param {string} wanted
 */
function kernelFolder(wanted) {
  if (wanted.split(',').every((path) => path.endsWith('.deb'))) return kernelScript(wanted.split(','));
  const folder = join(cacheFolder(), 'kernels', wanted);
  if (existsSync(join(folder, 'vmlinux'))) return realpathSync(folder);
  throw new LabUnavailableError(
    wanted === 'default'
      ? `no kernel in ${cacheFolder()}: run 'npm run lab:setup'`
      : `no kernel '${wanted}' in ${cacheFolder()}: give a .deb, or see 'setup.sh --suite'`,
  );
}

/**
 * Finds what a guest boots, and builds what can be built without privileges or a network.
 *
 * @param {string} [wanted] a kernel package (.deb; several with commas between them), or a name in the cache
 * @returns {Kernel}
 * @throws {LabUnavailableError} naming what is missing, and how to get it
 */
export function findKernel(wanted = 'default') {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new LabUnavailableError(`the lab runs on Linux on x86-64, not on ${process.platform} on ${process.arch}`);
  }
  if (findProgram('qemu-system-x86_64') === null) {
    throw new LabUnavailableError("qemu-system-x86_64 is not installed: run 'npm run lab:setup'");
  }
  const folder = kernelFolder(wanted);
  const hash = createHash('sha256');
  for (const source of ['guest/init', 'kernel.sh']) hash.update(readFileSync(join(LAB, source)));
  const image = join(folder, `initrd-${hash.digest('hex').slice(0, 12)}.img`);
  return {
    name: folder.slice(folder.lastIndexOf('/') + 1),
    vmlinux: join(folder, 'vmlinux'),
    initrd: existsSync(image) ? image : kernelScript(['--initrd', folder]),
    modules: realpathSync(join(folder, 'lib', 'modules')),
  };
}

/**
 * How qemu can run a guest here.
 *
 * A /dev/kvm that opens is not enough: some sandboxes offer one of their own making in which a stock kernel
 * crawls or hangs. Only the processor's own virtualisation is taken.
 *
 * @returns {'kvm' | 'tcg'}
 */
export function acceleration() {
  if (!existsSync('/sys/module/kvm_intel') && !existsSync('/sys/module/kvm_amd')) return 'tcg';
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
    return 'kvm';
  } catch {
    return 'tcg';
  }
}

/**
 * The version of qemu as [major, minor].
 *
 * @returns {[number, number]}
 */
export function qemuVersion() {
  const { stdout } = spawnSync(findProgram('qemu-system-x86_64') ?? 'qemu-system-x86_64', ['--version']);
  const match = /version (\d+)\.(\d+)/.exec(String(stdout));
  return [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)];
}
