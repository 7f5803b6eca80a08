import { parseArgs } from 'node:util';
import { canLab } from './benchmarks/can.js';
import { c, linked, node } from './benchmarks/programs.js';
import type { Report } from './contenders/meter.js';
import { Child } from './harness/child.js';
import { insideLab, prepareGuest, runInLab } from './harness/lab.js';
import type { Lab, Program } from './harness/types.js';

const help = `npm run soak -- [options]

  --operations NUMBER  of each kind: ten million unless told
  --only NAME          only this; may be given several times
  --lab GROUP          those of a family that few kernels have, in the kernel lab
`;

/** Memory may grow by so much after the first tenth: what the collector of garbage has not come to yet. */
const ALLOWED = 32 << 20;

interface Soak {
  readonly name: string;
  readonly title: string;
  /** Tells ten times what it uses; the number of operations is its last argument. */
  readonly program: Program;
  /** What is at the other end, of whatever the program says that it needs to know. */
  readonly counterpart: Program;
  readonly lab?: Lab;
}

const soaks: readonly Soak[] = [
  {
    name: 'packet-ring',
    title: 'Packets through a ring, as copies, of which a thousand are kept',
    program: linked(node('sock-packet-soak', 'packets')),
    counterpart: c('packet-blast', '0'),
  },
  {
    name: 'packet-receive',
    title: "Packets from the socket's queue, in batches",
    program: linked(node('sock-packet-soak', 'recvBatch')),
    counterpart: c('packet-blast', '0'),
  },
  {
    name: 'can-batch',
    title: 'CAN frames, in batches, each unpacked',
    program: node('sock-can-soak', 'recvBatch', 'vcan0', '1024'),
    counterpart: c('can-blast'),
    lab: canLab,
  },
  {
    name: 'can-frames',
    title: 'CAN frames as objects, with their times',
    program: node('sock-can-soak', 'recvFrames', 'vcan0', '1024'),
    counterpart: c('can-blast'),
    lab: canLab,
  },
];

const mebibytes = (bytes = 0): string => (bytes / 2 ** 20).toFixed(1).padStart(9);

/** @returns by how many bytes the resident set grew after the first tenth */
async function run({ name, title, program, counterpart }: Soak, operations: number): Promise<number> {
  console.log(`\n${title} (${name})\n\n  operations  resident, MiB  heap, MiB     dropped`);
  const measured = await Child.start(
    { ...program, arguments: [...program.arguments, String(operations)] },
    [],
    'others',
    {},
  );
  const { arguments: given } = (await measured.line()) as { arguments: string[] };
  const other = await Child.start(counterpart, given, 'last', {});
  try {
    let first: number | undefined;
    for (let step = 1; ; step++) {
      const { operations: done, memory = 0, heap, dropped = 0 } = (await measured.line()) as Report;
      first ??= memory;
      console.log(
        `${String(done).padStart(12)}      ${mebibytes(memory)}  ${mebibytes(heap)}${String(dropped).padStart(12)}`,
      );
      if (step === 10) return memory - first;
    }
  } finally {
    await Promise.all([measured.stop(), other.stop()]);
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      operations: { type: 'string', default: '10000000' },
      only: { type: 'string', multiple: true, default: [] },
      lab: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(help);
  const operations = Number(values.operations);
  if (!Number.isInteger(operations) || operations < 10) throw new Error('--operations takes a number from 10');
  const wanted = soaks.filter(
    ({ name, lab }) => lab?.group === values.lab && (values.only.length === 0 || values.only.includes(name)),
  );
  if (values.lab !== undefined && !insideLab) {
    const experiments = wanted.map(({ program, counterpart }) => ({ programs: [program, counterpart], needs: [] }));
    process.exitCode = await runInLab('soak', experiments, process.argv.slice(2));
    return;
  }
  await prepareGuest(wanted);
  for (const soak of wanted) {
    const grown = await run(soak, operations);
    const kept = grown <= ALLOWED;
    console.log(
      `\n${kept ? 'bounded' : 'NOT BOUNDED'}: ${mebibytes(grown).trim()} MiB more than after the first tenth`,
    );
    if (!kept) process.exitCode = 1;
  }
}

try {
  await main();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
