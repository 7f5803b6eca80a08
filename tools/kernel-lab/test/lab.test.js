// The lab's own test: what everything else that runs in it relies on.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { MarkLines, UntilToken } from '../src/output.js';
import { collect, needsNewerKernel } from '../src/results.js';

const LAB = dirname(dirname(fileURLToPath(import.meta.url)));
const SETUP = join(LAB, 'setup.sh');
const TIPC = join(dirname(dirname(LAB)), 'packages/tipc');

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();

/**
 * @param {string} program
 * @param {string[]} args
 * @param {{ env?: Record<string, string>, answers?: [prompt: string, answer: string][] }} [options]
 * @returns {Promise<{ status: number | null, stdout: string, stderr: string }>}
 */
async function run(program, args, { env = {}, answers = [] } = {}) {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  let seen = 0;
  const waiting = [...answers];
  running.add(child);
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
    const [prompt, answer] = waiting[0] ?? [];
    if (prompt === undefined || !stdout.slice(seen).includes(prompt)) return;
    seen = stdout.length;
    child.stdin.write(answer);
    waiting.shift();
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  child.stdin.on('error', () => {});
  if (answers.length === 0) child.stdin.end();
  const status = await new Promise((resolve, reject) => child.once('close', resolve).once('error', reject));
  running.delete(child);
  return { status, stdout, stderr };
}

/** @param {string[]} args @param {Parameters<typeof run>[2]} [options] */
const lab = (args, options) => run(process.execPath, [join(LAB, 'src/lab.js'), ...args], options);

/** @param {import('node:stream').Transform} transform @param {string[]} chunks */
async function through(transform, chunks) {
  const output = transform.setEncoding('utf8').toArray();
  for (const chunk of chunks) transform.write(Buffer.from(chunk));
  transform.end();
  return (await output).join('');
}

after('ends what a failed test leaves running', () => {
  for (const child of running) child.kill();
  running.clear();
});

describe('output of a guest', () => {
  it('ends at the token, wherever the chunks are cut', async () => {
    const text = 'one\0two\0to\0token';
    for (let cut = 0; cut < text.length; cut++) {
      const stream = new UntilToken(Buffer.from('\0token'));
      expect(await through(stream, [text.slice(0, cut), text.slice(cut), 'rest'])).to.equal('one\0two\0to');
      expect(stream.complete).to.equal(true);
    }
  });

  it('is passed on whole where no token comes', async () => {
    const stream = new UntilToken(Buffer.from('\0token'));
    expect(await through(stream, ['all', '\0', 'tok'])).to.equal('all\0tok');
    expect(stream.complete).to.equal(false);
  });

  it('gets a mark on each line', async () => {
    expect(await through(new MarkLines('é│'), ['a\nb', 'ä\n', '\nend'])).to.equal('é│a\né│bä\né│\né│end\n');
  });
});

describe('results of a guest', () => {
  const exit = { status: 0, reason: 'exit', seconds: 1, kernel: 'linux-image-6.1.0-1-amd64_6.1.9-1', limit: 1000 };
  const end = '{"type":"end"}\n';

  it('count what is skipped as a failure, but for what needs a newer kernel', () => {
    const events =
      '{"type":"pass","title":"a"}\n{"type":"pending","title":"b"}\n{"type":"pending","title":"use Linux 6.5 or newer"}\n';
    expect(collect('x', events + end, exit)).to.deep.include({ passes: 1, failures: 1, pending: 1 });
    expect(collect('x', end + events, { ...exit, kernel: '6.12' })).to.deep.include({ failures: 2, pending: 0 });
  });

  it('tell during which test a guest ended', () => {
    const events = '{"type":"pass","title":"a"}\n{"type":"start","title":"b"}\n{"type":"pa';
    const { failures, tests } = collect('x', events, { ...exit, status: 124, reason: 'limit' });
    expect(failures).to.equal(1);
    expect(tests.at(-1)?.error).to.equal('the guest ran out of its 1 s, during: b');
  });

  it('are a failure where mocha fails without a failing test', () => {
    expect(collect('x', end, { ...exit, status: 1 }).failures).to.equal(1);
  });

  it('compare kernels by number', () => {
    expect(needsNewerKernel('use Linux 6.10 or newer', '6.9.1')).to.equal(true);
    expect(needsNewerKernel('use Linux 6.9 or newer', '6.10.1')).to.equal(false);
    expect(needsNewerKernel('use Linux 5.10 or newer', '6.1')).to.equal(false);
    expect(needsNewerKernel('needs something', '6.1')).to.equal(false);
  });
});

describe('wrong use of the lab', () => {
  it('has status 2 and tells how to use it', async () => {
    for (const args of [['--bogus', 'true'], ['--limit', 'soon', 'true'], ['--pair', 'true'], [], ['-i', 'true']]) {
      const { status, stderr } = await lab(args);
      expect(status, args.join(' ')).to.equal(2);
      expect(stderr)
        .to.match(/^lab: /)
        .and.contain('usage: ');
    }
  });

  it('has status 69 where the lab is not set up', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'lab-test-'));
    try {
      const env = { XDG_CACHE_HOME: empty };
      for (const result of [await lab(['true'], { env }), await run('bash', [SETUP, '--check'], { env })]) {
        expect(result.status).to.equal(69);
        expect(result.stderr).to.match(/^lab: .*npm run lab:setup/m);
      }
    } finally {
      rmSync(empty, { recursive: true });
    }
  });
});

const ready = spawnSync('bash', [SETUP, '--check'], { encoding: 'utf8' });
if (ready.status !== 0) {
  const reason = ready.stderr.trim().replace(/^lab: /, '');
  it(`the kernel lab [not run: needs the kernel lab: ${reason}; remedy: npm run lab:setup]`);
} else {
  describe('kernel lab', function () {
    this.timeout(180_000);
    /** @type {ReturnType<typeof run>} */
    let hang;

    before('starts what takes its time', () => {
      hang = lab(['-t', '50', 'echo before; sleep 12345']);
    });

    it('passes on status, output, environment and folder, and writes only where it may', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'lab-test-'));
      try {
        const command = [
          'echo "$SOCK_LAB/$SOCK_TEST/$GIVEN/$(printenv NOT_GIVEN || echo unset)/$PWD"; echo to-stderr >&2',
          'seq 100000 | md5sum; uname -s; echo kept > kept; echo gone > ../lab-test-gone; cat; exit 7',
        ].join('\n');
        const env = { SOCK_TEST: "it's", NOT_GIVEN: 'x', GIVEN: 'y z' };
        const { status, stdout, stderr } = await lab(['-w', folder, '-C', folder, '-e', 'GIVEN', command], { env });
        expect(stderr).to.equal('to-stderr\n');
        expect(stdout).to.equal(`1/it's/y z/unset/${folder}\ndea9193b768319cbb4ff1a137ac03113  -\nLinux\n`);
        expect(status).to.equal(7);
        expect(readFileSync(join(folder, 'kept'), 'utf8')).to.equal('kept\n');
        expect(() => readFileSync(join(folder, '../lab-test-gone'))).to.throw(/ENOENT/);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });

    it('takes a program with arguments, and ends what it leaves running', async () => {
      const script = 'sleep 1000 & setsid sleep 1000 & kill -TERM $$';
      const { status } = await lab(['bash', '-c', script, 'a b']);
      expect(status).to.equal(128 + 15);
    });

    it('shows the console of a kernel that crashes', async () => {
      const { status, stderr } = await lab(['echo c > /proc/sysrq-trigger']);
      expect(status).to.equal(125);
      expect(stderr).to.contain('ended without a status; its console:').and.contain('Kernel panic');
    });

    it('has every address family', async () => {
      const { status, stdout, stderr } = await lab(['/usr/bin/python3', join(LAB, 'test/families.py')]);
      expect(stderr).to.equal('');
      expect(
        stdout
          .trim()
          .split('\n')
          .filter((line) => !line.endsWith(' ok')),
      ).to.deep.equal([]);
      expect(status).to.equal(0);
    });

    it('joins two guests, and the status is that of the first that fails', async () => {
      const common = 'tipc bearer enable media eth device eth0 && lab-meet up && ';
      const one = `${common} ping -q -c 1 -w 20 10.77.0.2 && lab-meet done && echo one-$LAB_GUEST-$LAB_PEER`;
      const linked = 'until tipc link list | grep -q :eth0; do sleep .2; done';
      const two = `${common} ping -q -c 1 -w 20 fd77::1 && ${linked}; lab-meet done; exit 9`;
      const { status, stdout, stderr } = await lab(['-t', '60', '--pair', one, two]);
      expect(stdout, stderr)
        .to.contain('[1] one-1-2\n')
        .and.match(/^\[2\] \d+ packets transmitted, [1-9]\d* received/m);
      expect(status).to.equal(9);
    });

    it('has two kernels exchange messages of TIPC', async () => {
      const program = `
        import { TipcSocket, watchServices } from "@sock/tipc";
        const [own, peer] = [process.env.LAB_GUEST, process.env.LAB_PEER].map(Number);
        const type = 18888;
        const socket = new TipcSocket();
        await socket.bind({ kind: "service", type, instance: own });
        for await (const { kind } of watchServices({ type, lower: peer, upper: peer })) if (kind === "published") break;
        await socket.sendTo("from " + own, { kind: "service", type, instance: peer });
        const { kind, data, destination } = await socket.recvDelivery({ timeout: 60_000 });
        console.log(kind, data.toString(), JSON.stringify(destination));
        socket.close();`;
      const command = `tipc bearer enable media eth device eth0 && ${process.execPath} --input-type=module -e '${program}' && lab-meet done`;
      const { status, stdout, stderr } = await lab(['-t', '120', '--cwd', TIPC, '--pair', command, command]);
      expect(stdout, stderr)
        .to.contain('[1] message from 2 {"type":18888,"lower":1,"upper":1}\n')
        .and.contain('[2] message from 1 {"type":18888,"lower":2,"upper":2}\n');
      expect(status).to.equal(0);
    });

    it('gives a shell on a terminal', async () => {
      const command = `stty rows 33 cols 99; ${process.execPath} ${join(LAB, 'src/lab.js')}`;
      /** @type {[string, string][]} */
      const answers = [
        ['# ', 'tty; stty size; sleep 1000\n'],
        ['33 99', '\x03'],
        ['# ', 'exit $?\n'],
      ];
      const { status, stdout } = await run('script', ['-qec', command, '/dev/null'], { answers });
      expect(stdout).to.contain('/dev/hvc0');
      expect(status).to.equal(128 + 2);
    });

    it('cuts a hang at the limit, with the console', async () => {
      const { status, stdout, stderr } = await hang;
      expect(status).to.equal(124);
      expect(stdout).to.equal('before\n');
      expect(stderr).to.contain('stopped after 50 s; its console:');
      expect(stderr).to.match(/^\d+: sleep 12345\n +\w*nanosleep/m);
    });
  });
}
