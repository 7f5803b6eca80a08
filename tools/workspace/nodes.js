// npm run test:nodes: the tests of this machine's kernel on every supported line of Node, all with the one binary that
// was built: Node-API promises that it loads on all of them.
//
//   npm run test:nodes -- [major version…] [package…]

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { addCounts, conclude, noCounts, runMocha, summary, testedPackages } from './lib/mocha.js';
import { ask, Failure, heading, main, run, say } from './lib/process.js';
import { setup } from './lib/setup.js';

/** The newest release of each line when this list was last brought up to date. */
const versions = ['20.20.2', '22.23.3', '24.21.0', '26.10.0'];

const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'sock-nodes');

/** @param {string} version */
function executable(version) {
  return join(cache, 'node_modules', `node-${version}`, 'bin/node');
}

/** Installs what is missing, from the npm packages that hold Node's executables. @param {string[]} wanted */
async function install(wanted) {
  const missing = wanted.filter((version) => !existsSync(executable(version)));
  if (missing.length === 0) return;
  const { platform, arch } = process;
  if (platform !== 'linux' || (arch !== 'x64' && arch !== 'arm64')) {
    throw new Failure(`npm has no package of Node for ${platform} on ${arch}; run npm test with each Node instead`);
  }
  heading(`Installing Node ${missing.join(', ')} into ${cache}`);
  mkdirSync(cache, { recursive: true });
  const aliases = versions.map((version) => [`node-${version}`, `npm:node-${platform}-${arch}@${version}`]);
  writeFileSync(
    join(cache, 'package.json'),
    `${JSON.stringify({ private: true, dependencies: Object.fromEntries(aliases) }, null, 2)}\n`,
  );
  await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'], {
    cwd: cache,
    quiet: true,
  });
}

await main(async () => {
  const words = process.argv.slice(2);
  const majors = words.filter((word) => /^\d+$/.test(word));
  const names = words.filter((word) => !majors.includes(word));
  const wanted = majors.length === 0 ? versions : versions.filter((version) => majors.includes(major(version)));
  if (wanted.length === 0) throw new Failure(`Node ${majors.join(', ')}: known are ${versions.map(major).join(', ')}`);
  await setup();
  await install(wanted);

  const all = noCounts();
  /** @type {string[]} */
  const lines = [];
  for (const version of wanted) {
    const node = executable(version);
    const told = ask(node, ['--version']);
    if (told !== `v${version}`) throw new Failure(`${node} --version says ${told}`);
    const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` };
    const counts = noCounts();
    for (const tested of testedPackages(names).filter(({ folder }) => folder.startsWith('packages/'))) {
      addCounts(counts, await runMocha(tested, { node, env, title: `${tested.folder} on Node ${version}` }));
    }
    lines.push(`  Node ${version}  ${summary(counts)}`);
    addCounts(all, counts);
  }
  heading('Tests');
  for (const line of lines) say(line);
  conclude(all);
});

/** @param {string} version */
function major(version) {
  return version.split('.')[0] ?? version;
}
