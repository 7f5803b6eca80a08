/**
 * Runs scenarios of one module, in the network namespace that this process has for itself: `node run.js <module>`.
 * Reads their titles from the standard input, a line each, and answers each with a line: nothing, or what went wrong.
 */
import { execFileSync } from 'node:child_process';
import { createInterface } from 'node:readline/promises';
import { inspect } from 'node:util';
import { openDescriptors, settled, turns } from '@sock/testkit';
import type { Scenario } from './namespace.js';

const [, , name] = process.argv;
const { scenarios } = (await import(`../scenarios/${name}.js`)) as { scenarios: readonly Scenario[] };

const problems: string[] = [];
process.on('warning', (warning) => {
  if (warning.name !== 'ExperimentalWarning') problems.push(`${warning.name}: ${warning.message}`);
});
process.on('unhandledRejection', (reason) => {
  problems.push(`unhandled rejection: ${inspect(reason)}`);
});

/** Removes all links but lo: those that vanish with another are gone already. */
function clear(): void {
  const links = JSON.parse(execFileSync('ip', ['-j', 'link'], { encoding: 'utf8' })) as { ifname: string }[];
  for (const { ifname } of links) {
    if (ifname === 'lo') continue;
    try {
      execFileSync('ip', ['link', 'del', 'dev', ifname], { stdio: 'ignore' });
    } catch {
      // the other end of a pair
    }
  }
}

async function run(title: string): Promise<string> {
  const scenario = scenarios.find((one) => one.title === title);
  if (scenario === undefined) return `there is no scenario ${title} in ${name}`;
  execFileSync('sh', ['-c', `set -e\n${scenario.setup}`], { stdio: ['ignore', 'ignore', 'inherit'] });
  const before = openDescriptors();
  try {
    await scenario.run();
    await turns(5);
    problems.push(...(await settled(before)));
  } catch (error) {
    problems.push(inspect(error));
  } finally {
    clear();
  }
  return problems.splice(0).join('\n');
}

for await (const title of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await run(title)));
}
