import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Capabilities } from '@sock/testkit';
import { describeIf, scaled, startCommand, within } from '@sock/testkit';
import { expect } from 'chai';
import { differenceOf } from './differences.js';
import { type Outcome, outcomeOf } from './outcome.js';

/** One call in both languages. */
export interface Case {
  title: string;
  /** Python; the value of its last expression is the outcome. All names of its `socket` module are there. */
  python: string;
  /** The same with @sock. What `own` is given is closed afterwards. */
  sock(own: Own): unknown;
}

/** Keeps what is to be closed. */
export type Own = <T extends Disposable>(resource: T) => T;

const program = readFileSync(fileURLToPath(new URL('../outcomes.py', import.meta.url)), 'utf8');

/** Debian's own Python has AF_BLUETOOTH, which others may be built without. */
const PYTHON = '/usr/bin/python3';

async function runPython(cases: readonly Case[]): Promise<Outcome[]> {
  const input = JSON.stringify(cases.map(({ python }) => python));
  const { stdout } = await startCommand(PYTHON, ['-c', program], { input, timeout: 120_000 }).succeeded();
  return JSON.parse(stdout) as Outcome[];
}

async function runOurs({ title, sock }: Case): Promise<Outcome> {
  using stack = new Stack();
  return await within(
    title,
    outcomeOf(() => sock((resource) => stack.own(resource))),
    20_000,
  );
}

/** Closes what it was given, the last first. */
class Stack {
  private readonly resources: Disposable[] = [];

  own<T extends Disposable>(resource: T): T {
    this.resources.push(resource);
    return resource;
  }

  [Symbol.dispose](): void {
    for (const resource of this.resources.reverse()) resource[Symbol.dispose]();
  }
}

/**
 * Describes cases: a test each, after Python has run them all.
 * @param prepare describes hooks that come before and after
 */
export function compare(
  title: string,
  cases: readonly Case[],
  capabilities: Capabilities = [],
  prepare: () => void = () => {},
): void {
  describeIf(capabilities, title, () => {
    prepare();
    let theirs: Outcome[] = [];
    before(async function () {
      this.timeout(scaled(150_000));
      theirs = await runPython(cases);
    });
    for (const [index, one] of cases.entries()) {
      const reason = differenceOf(one.title);
      it(reason === undefined ? one.title : `${one.title}, differently: ${reason}`, async () => {
        const ours = await runOurs(one);
        if (reason === undefined) expect(ours).to.deep.equal(theirs[index]);
        else expect(ours, 'no difference any more').to.not.deep.equal(theirs[index]);
      });
    }
  });
}
