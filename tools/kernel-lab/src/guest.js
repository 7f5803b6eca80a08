// One guest: a qemu process, its control folder, its output, its end.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { acceleration, findKernel, findProgram, LAB } from './kernels.js';
import { UntilToken } from './output.js';

/** The modules that a guest loads first unless told otherwise: those of every address family. */
export const MODULES = [
  ...['can_raw', 'can_bcm', 'can_isotp', 'can_j1939', 'can_gw', 'vcan', 'vxcan', 'can_dev'],
  ...['af_alg', 'algif_hash', 'algif_skcipher', 'algif_aead', 'algif_rng'],
  ...['tipc', 'bluetooth', 'rfcomm', 'bnep', 'hidp', 'hci_vhci', 'rds', 'rds_tcp', 'vsock', 'vsock_loopback'],
  ...['sctp', 'dccp_ipv4', 'dccp_ipv6', 'qrtr', 'smc', 'virtio_net'],
];

// What of the caller's environment reaches a guest: the rest is nobody's business there, and some of it would
// change what is tested.
const PASSED = /^(PATH|HOME|USER|LOGNAME|LANG|LC_\w+|TERM|COLORTERM|TZ|CI|NO_COLOR|FORCE_COLOR|SOCK_\w+)$/;

/**
 * @typedef {object} GuestOptions
 * @property {string | null} command a shell command; null opens a shell (`terminal` must then be set)
 * @property {boolean} [terminal] run it on this process's terminal
 * @property {NodeJS.WritableStream} [stdout] where its output goes as it comes, unless `terminal`
 * @property {NodeJS.WritableStream} [stderr]
 * @property {string} [cwd] the folder to run in (default: the current one)
 * @property {Record<string, string | undefined>} [env] what the guest's environment has beside the allowed names
 * @property {number} [limit] milliseconds that the guest may take in all (default 600,000; 0: no limit)
 * @property {number} [memory] MiB (default 2048)
 * @property {number} [cpus] default 1: more of them now and then hang under emulation
 * @property {string[]} [modules] to load first (default: MODULES)
 * @property {string[]} [writable] folders of the host that the guest may write to
 * @property {string} [kernel] another kernel: see findKernel
 * @property {'kvm' | 'tcg'} [accel]
 * @property {string[]} [qemu] further arguments of qemu
 * @property {Link} [link] this guest is one of a pair
 * @property {AbortSignal} [signal] ends the guest
 */

/**
 * @typedef {object} Link
 * @property {1 | 2} guest which of the two
 * @property {string} socket path of the unix socket that joins their interfaces: guest 1 listens there
 * @property {string} folder seen by both as /run/lab/pair
 */

/**
 * @typedef {object} GuestResult
 * @property {number} status the command's; 124 after the limit, 125 when the guest ended without one
 * @property {'exit' | 'limit' | 'crash' | 'aborted'} reason
 * @property {number | null} boot seconds that the guest's kernel was up when the command started
 * @property {number} seconds the whole took
 * @property {string} console what the guest's kernel printed
 */

/** @param {string} text */
const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/**
 * A shell command of a program and its arguments.
 *
 * @param {string[]} words
 */
export const shellCommand = (words) => words.map(quote).join(' ');

/**
 * @param {import('./kernels.js').Kernel} kernel
 * @param {GuestOptions} options
 */
function environment(kernel, options) {
  const link = options.link;
  const passed = Object.entries(process.env).filter(([name]) => PASSED.test(name));
  const all = {
    ...Object.fromEntries(passed),
    SOCK_LAB: '1',
    LAB_ACCEL: options.accel ?? acceleration(),
    LAB_KERNEL: kernel.vmlinux,
    ...(link && { LAB_GUEST: String(link.guest), LAB_PEER: String(3 - link.guest) }),
    ...options.env,
  };
  return Object.entries(all)
    .filter(([name, value]) => value !== undefined && /^[A-Za-z_]\w*$/.test(name))
    .map(([name, value]) => `export ${name}=${quote(value ?? '')}\n`)
    .join('');
}

/**
 * Writes the control folder: what the guest's init and stage2 read.
 *
 * @param {string} folder
 * @param {string} token
 * @param {import('./kernels.js').Kernel} kernel
 * @param {GuestOptions} options
 * @returns {string[]} the arguments of qemu for the shares
 */
function prepare(folder, token, kernel, options) {
  for (const name of ['stage2', 'lab-meet', 'bashrc']) copyFileSync(join(LAB, 'guest', name), join(folder, name));
  const settings = {
    LAB_MODE: options.terminal ? 'terminal' : 'pipes',
    LAB_MODULES: (options.modules ?? MODULES).join(' '),
    LAB_CWD: options.cwd ?? process.cwd(),
    LAB_LIMIT: String(Math.ceil((options.limit ?? 600_000) / 1000)),
    LAB_TOKEN: token,
    LAB_HOSTNAME: options.link ? `lab${options.link.guest}` : 'lab',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${quote(value)}\n`);
  writeFileSync(join(folder, 'settings'), lines.join(''));
  writeFileSync(join(folder, 'environment'), environment(kernel, options));
  writeFileSync(join(folder, 'command'), options.command === null ? '' : `${options.command}\n`);
  writeFileSync(join(folder, 'modules-folder'), kernel.modules);
  /** @type {{ path: string; at: string; cache: string }[]} */
  const shares = (options.writable ?? []).map((path) => {
    const real = realpathSync(path);
    return { path: real, at: real, cache: 'mmap' };
  });
  // without a cache: the two guests see each other's files at once
  if (options.link) shares.push({ path: options.link.folder, at: '/run/lab/pair', cache: 'none' });
  for (const { path } of shares) {
    // a comma separates the options of qemu, a space those of the guest's list
    if (/[\s,]/.test(path)) throw new RangeError(`a shared folder's path has no space and no comma: ${path}`);
  }
  writeFileSync(join(folder, 'shares'), shares.map(({ at, cache }, i) => `share${i} ${cache} ${at}\n`).join(''));
  return shares.flatMap(({ path }, i) => [
    ...['-fsdev', `local,id=share${i},path=${path},security_model=none,multidevs=remap`],
    ...['-device', `virtio-9p-pci,fsdev=share${i},mount_tag=share${i}`],
  ]);
}

/**
 * @param {string} folder
 * @param {import('./kernels.js').Kernel} kernel
 * @param {GuestOptions} options
 */
function qemuArguments(folder, kernel, options) {
  const accel = options.accel ?? acceleration();
  const machine = [
    // thread=single: with several processors in threads of their own, the kernel's patching of its own code now
    // and then trips over stale translations ("Oops: int3")
    ...(accel === 'kvm' ? ['-accel', 'kvm', '-cpu', 'host'] : ['-accel', 'tcg,thread=single', '-cpu', 'max']),
    ...['-M', 'pc', '-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none'],
    ...['-m', String(options.memory ?? 2048), '-smp', String(options.cpus ?? 1)],
  ];
  const cmdline = [
    ...['console=ttyS0', 'quiet', 'panic=-1', 'mitigations=off', 'random.trust_cpu=1', 'nokaslr'],
    // testing every algorithm at the start costs seconds under emulation
    'cryptomgr.notests=1',
    // on a busy host the emulated timer can miss the moment in which the kernel looks whether it works: a panic
    'no_timer_check',
  ];
  const boot = ['-kernel', kernel.vmlinux, '-initrd', kernel.initrd, '-append', cmdline.join(' ')];
  const devices = [
    ...['-serial', `file:${join(folder, 'console')}`, '-device', 'isa-debug-exit,iobase=0x501,iosize=1'],
    ...['-device', 'virtio-serial-pci'],
    ...['-fsdev', 'local,id=root,path=/,security_model=none,readonly=on,multidevs=remap'],
    ...['-device', 'virtio-9p-pci,fsdev=root,mount_tag=root'],
    ...['-fsdev', `local,id=ctl,path=${folder},security_model=none`],
    ...['-device', 'virtio-9p-pci,fsdev=ctl,mount_tag=ctl'],
  ];
  const terminal = ['-chardev', 'stdio,id=terminal,signal=off', '-device', 'virtconsole,chardev=terminal'];
  const pipes = ['out', 'err'].flatMap((name) => [
    ...['-chardev', `socket,id=${name},path=${join(folder, name)}.socket`],
    ...['-device', `virtserialport,chardev=${name},name=${name}`],
  ]);
  const link = options.link;
  const network = link
    ? [
        '-netdev',
        `stream,id=link,server=${link.guest === 1 ? 'on' : 'off'},addr.type=unix,addr.path=${link.socket}`,
        ...['-device', `virtio-net-pci,netdev=link,mac=52:54:00:77:00:0${link.guest},romfile=`],
      ]
    : [];
  return [
    ...machine,
    ...boot,
    ...devices,
    ...(options.terminal ? terminal : pipes),
    ...network,
    ...(options.qemu ?? []),
  ];
}

/**
 * Listens where qemu's port of that name connects to, and passes on what comes.
 *
 * @param {string} folder
 * @param {string} name
 * @param {string} token
 * @param {NodeJS.WritableStream} target
 */
async function openPort(folder, name, token, target) {
  const stream = new UntilToken(Buffer.from(`\0${token}`));
  const server = createServer((socket) => {
    server.close();
    socket.on('error', () => stream.end());
    socket.pipe(stream);
  });
  server.listen(join(folder, `${name}.socket`));
  await once(server, 'listening');
  stream.pipe(target, { end: false });
  const close = () => {
    // qemu never came: nobody else ends the stream
    if (server.listening) stream.end();
    server.close();
  };
  return { stream, close };
}

/** A serial console ends its lines with CR LF.
 * @param {string} path
 */
const readIfThere = (path) => (existsSync(path) ? readFileSync(path, 'latin1').replaceAll('\r\n', '\n') : '');

/**
 * Boots a guest, runs a command in it and waits for its end.
 *
 * The guest sees the host's files read-only below an overlay that is gone at its end, except `writable` folders.
 * The command runs as root with /dev/null as its standard input (or on the terminal).
 *
 * @param {GuestOptions} options
 * @returns {Promise<GuestResult>}
 * @throws {import('./kernels.js').LabUnavailableError} when the lab is not set up
 */
export async function runGuest(options) {
  const kernel = findKernel(options.kernel);
  const started = process.hrtime.bigint();
  const folder = mkdtempSync(join(tmpdir(), 'sock-kernel-lab-'));
  try {
    const token = randomBytes(16).toString('hex');
    const shares = prepare(folder, token, kernel, options);
    const ports = options.terminal
      ? []
      : await Promise.all([
          openPort(folder, 'out', token, options.stdout ?? process.stdout),
          openPort(folder, 'err', token, options.stderr ?? process.stderr),
        ]);
    const { reason, message } = await runQemu(
      folder,
      [...qemuArguments(folder, kernel, options), ...shares],
      ports,
      options,
    );
    for (const port of ports) port.close();
    await Promise.all(ports.map(({ stream }) => finished(stream)));
    const status = Number.parseInt(readIfThere(join(folder, 'status')), 10);
    const boot = Number.parseFloat(readIfThere(join(folder, 'boot-seconds')));
    const known = Number.isInteger(status) && reason !== 'limit';
    return {
      status: known ? status : reason === 'limit' ? 124 : 125,
      reason: known && reason === 'crash' ? 'exit' : reason,
      boot: Number.isNaN(boot) ? null : boot,
      seconds: Number(process.hrtime.bigint() - started) / 1e9,
      console: readIfThere(join(folder, 'console')) + message,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Runs qemu to its end: its own, or when all output has come, at the limit or when it is aborted.
 *
 * @param {string} folder
 * @param {string[]} args
 * @param {{ stream: UntilToken }[]} ports
 * @param {GuestOptions} options
 * @returns {Promise<{ reason: 'exit' | 'limit' | 'crash' | 'aborted', message: string }>}
 */
async function runQemu(folder, args, ports, options) {
  const qemu = findProgram('qemu-system-x86_64') ?? 'qemu-system-x86_64';
  // a guest whose host process was killed ends too
  const setpriv = findProgram('setpriv');
  const [program, prefix] = setpriv ? [setpriv, ['--pdeathsig', 'KILL', '--', qemu]] : [qemu, []];
  const child = spawn(program, [...prefix, ...args], {
    stdio: options.terminal ? ['inherit', 'inherit', 'pipe'] : ['ignore', 'pipe', 'pipe'],
  });
  /** @type {'exit' | 'limit' | 'crash' | 'aborted'} */
  let reason = 'crash';
  /** @param {'exit' | 'limit' | 'aborted'} why */
  const end = (why) => {
    reason = why;
    child.kill('SIGKILL');
  };
  let message = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (message += `qemu: ${chunk}`));
  const limit = options.limit ?? 600_000;
  const timer = limit > 0 ? setTimeout(() => end('limit'), limit) : undefined;
  const aborted = () => end('aborted');
  options.signal?.addEventListener('abort', aborted, { once: true });
  if (options.signal?.aborted) aborted();
  for (const { stream } of ports) {
    stream.on('complete', () => {
      if (ports.every((port) => port.stream.complete) && reason === 'crash') end('exit');
    });
  }
  const resize = () => {
    const { rows, columns } = process.stdout;
    if (rows && columns) writeFileSync(join(folder, 'size'), `rows ${rows} cols ${columns}\n`);
  };
  if (options.terminal) {
    resize();
    process.stdout.on('resize', resize);
  }
  try {
    await new Promise((resolve, reject) => child.once('close', resolve).once('error', reject));
  } finally {
    clearTimeout(timer);
    process.stdout.off('resize', resize);
    options.signal?.removeEventListener('abort', aborted);
  }
  return { reason, message };
}
