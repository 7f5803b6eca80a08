/** Runs one scenario: `node run.js <module of scenarios> <title>`. */
import { execFileSync } from 'node:child_process';
import { openDescriptors, settled, turns } from '@sock/testkit';
import type { Scenario } from './namespace.js';
import { watchWarnings } from './warnings.js';

const [, , name, title] = process.argv;
const { scenarios } = (await import(`../scenarios/${name}.js`)) as { scenarios: readonly Scenario[] };
const scenario = scenarios.find((one) => one.title === title);
if (scenario === undefined) throw new Error(`there is no scenario ${title} in ${name}`);
// node opens /dev/null with its first child, and keeps it
execFileSync('true');
const problems = watchWarnings();
const before = openDescriptors();
await scenario.run();
await turns(5);
problems.push(...(await settled(before)));
if (problems.length > 0) throw new Error(problems.join('\n'));
