/**
 * Runs scenarios of one module, in the network namespace that this process has for itself: `node run.js <module>`.
 * Reads their titles from the standard input, a line each, and answers each with a line: nothing, or what went wrong.
 */
import { execFileSync } from 'node:child_process';
import { createInterface } from 'node:readline/promises';
import { inspect } from 'node:util';
import { openDescriptors, settled, turns } from '@sock/testkit';
import { removeLinks, setLinkSync } from '@sock/testkit/network';
import type { Scenario, Setup } from './namespace.js';

const [, , name] = process.argv;
const { scenarios } = (await import(`../scenarios/${name}.js`)) as { scenarios: readonly Scenario[] };

const problems: string[] = [];
process.on('warning', (warning) => {
  if (warning.name !== 'ExperimentalWarning') problems.push(`${warning.name}: ${warning.message}`);
});
process.on('unhandledRejection', (reason) => {
  problems.push(`unhandled rejection: ${inspect(reason)}`);
});

async function prepare(setup: Setup): Promise<void> {
  if (typeof setup === 'function') await setup();
  else if (typeof setup === 'string') execFileSync('sh', ['-ec', setup], { stdio: ['ignore', 'ignore', 'inherit'] });
  else for (const one of setup) await prepare(one);
}

async function run(title: string): Promise<string> {
  const scenario = scenarios.find((one) => one.title === title);
  if (scenario === undefined) return `there is no scenario ${title} in ${name}`;
  await prepare(scenario.setup);
  const before = openDescriptors();
  try {
    await scenario.run();
    await turns(5);
    problems.push(...(await settled(before)));
  } catch (error) {
    problems.push(inspect(error));
  } finally {
    removeLinks();
  }
  return problems.splice(0).join('\n');
}

setLinkSync('lo', { up: true });
for await (const title of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await run(title)));
}
