import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Capabilities, type Capability, Child, capability, itIf, probe, scaled, within } from '@sock/testkit';
import { addVeth, carrier } from '@sock/testkit/network';

/** Without a user namespace where that is possible: in one, tcpdump cannot lay down its rights. */
export const UNSHARE: readonly string[] = process.getuid?.() === 0 ? ['-n'] : ['-rn'];

/** Network namespaces of one's own: no test touches the machine's interfaces. Source: unshare(1). */
export const namespaces: Capability = capability({
  name: 'network namespaces',
  remedy: 'apt-get install util-linux iproute2, and sysctl -w kernel.unprivileged_userns_clone=1, or run as root',
  probe: () => execFileSync('unshare', [...UNSHARE, 'sh', '-c', 'ip link set lo up'], { stdio: 'ignore' }),
});

/** A kind of link that is made on top of another, such as macvlan. */
export function linkType(type: string, options: string): Capability {
  const script = `ip link add va type veth peer name vb && ip link add ${options} type ${type}`;
  return capability({
    name: type,
    remedy: `modprobe ${type}`,
    probe: () => execFileSync('unshare', [...UNSHARE, 'sh', '-c', script], { stdio: 'ignore' }),
  });
}

/** As `namespaces`, with pairs of virtual links. */
export const links: Capability = capability({
  name: 'veth',
  remedy: 'modprobe veth',
  probe: () =>
    execFileSync('unshare', [...UNSHARE, 'sh', '-c', 'ip link add va type veth peer name vb'], { stdio: 'ignore' }),
});

/** A queue that lets packets out slowly. */
export const shaper: Capability = capability({
  name: 'tc tbf',
  remedy: 'apt-get install iproute2, and modprobe sch_tbf',
  probe: () =>
    execFileSync(
      'unshare',
      [...UNSHARE, 'tc', 'qdisc', 'add', 'dev', 'lo', 'root', 'tbf', 'rate', '1mbit', 'burst', '5k', 'limit', '1m'],
      {
        stdio: 'ignore',
      },
    ),
});

/** A test that runs in a process of its own, which has a network namespace of its own. */
export interface Scenario {
  title: string;
  setup: Setup;
  /** What it needs beyond AF_PACKET, namespaces and veth. */
  requires?: Capabilities;
  /** Milliseconds: 10 000 unless told. */
  timeout?: number;
  run(): Promise<void> | void;
}

/** What makes a namespace what it is to be: shell commands, or functions, which start no programs. */
export type Setup = string | (() => Promise<void> | void) | readonly Setup[];

/** Two ends of a link, both up: what is sent on the one arrives at the other, and nothing else does. */
export const PAIR: Setup = async () => {
  addVeth('va', 'vb', { quiet: true, arp: false, mtu: 9000 });
  await carrier();
};

/** Hardware addresses that `PAIR` does not set: those of examples. */
export const LOCAL = '02:00:00:00:00:0a';
export const REMOTE = '02:00:00:00:00:0b';

const runner = fileURLToPath(new URL('run.js', import.meta.url));

// all scenarios of a module together
const LIMIT = 600_000;

/** Defines a test for each scenario of the module `scenarios/<name>.js`: one process runs them all, one at a time. */
export function defineScenarios(name: string, scenarios: readonly Scenario[]): void {
  let child: Child | undefined;

  function start(): Child {
    return new Child('unshare', [...UNSHARE, process.execPath, '--expose-gc', runner, name], { timeout: LIMIT });
  }

  after(async () => {
    child?.process.stdin?.end();
    await child?.succeeded();
  });

  for (const { title, requires = [], timeout = 10_000 } of scenarios) {
    const capabilities = [probe('AF_PACKET'), namespaces, links, ...[requires].flat()] as Capabilities;
    itIf(capabilities, title, async function (this: Mocha.Context) {
      this.timeout(scaled(timeout + 10_000));
      child ??= start();
      child.write(`${title}\n`);
      let answer: string;
      try {
        answer = await within(title, child.line(), timeout + 5000);
      } catch (error) {
        // the next one begins with another process
        child.kill();
        await child.outcome.catch(() => {});
        child = undefined;
        throw error;
      }
      const problem = JSON.parse(answer) as string;
      if (problem !== '') throw new Error(problem);
    });
  }
}
