import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from './children.js';
import { type Capabilities, itIf } from './probe.js';
import { inLab, scaled } from './time.js';
import { stripTypes, typescript } from './typescript.js';

/** A block of TypeScript of a document. */
export interface Example {
  /** 1 for the first. */
  number: number;
  /** Line of the document that the block's first line is. */
  line: number;
  /** The nearest heading above. */
  heading: string;
  source: string;
  /** Capabilities that the fence asks for: "```ts requires=AF_CAN,root". */
  requires: string[];
}

/** The ```ts blocks of a Markdown text. */
export function extractExamples(markdown: string): Example[] {
  const examples: Example[] = [];
  let heading = '';
  let fence: { info: string; mark: string; line: number; lines: string[] } | undefined;
  for (const [index, line] of markdown.split('\n').entries()) {
    if (fence === undefined) {
      const opened = /^(`{3,})(.*)$/.exec(line);
      if (opened !== null) fence = { mark: opened[1] ?? '', info: opened[2] ?? '', line: index + 2, lines: [] };
      else heading = /^#+\s+(.*)$/.exec(line)?.[1] ?? heading;
    } else if (line.trimEnd() !== fence.mark) {
      fence.lines.push(line);
    } else {
      const words = fence.info.trim().split(/\s+/);
      if (words[0] === 'ts') {
        const requires = words.find((word) => word.startsWith('requires='))?.slice('requires='.length) ?? '';
        examples.push({
          number: examples.length + 1,
          line: fence.line,
          heading,
          source: `${fence.lines.join('\n')}\n`,
          requires: requires.split(',').filter((name) => name !== ''),
        });
      }
      fence = undefined;
    }
  }
  return examples;
}

/** What the compiler says of TypeScript files, as it would print it. */
export function typeErrors(files: readonly string[]): string[] {
  const ts = typescript();
  const program = ts.createProgram(files, {
    target: ts.ScriptTarget.ES2023,
    lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ['node'],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
  });
  return ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
    const text = ts.flattenDiagnosticMessageText(messageText, '\n');
    if (file === undefined || start === undefined) return text;
    return `${file.fileName}:${file.getLineAndCharacterOfPosition(start).line + 1}: ${text}`;
  });
}

/**
 * Defines a test for each ```ts block of a document of a package: it must be well typed, and as a
 * program of its own it must end in time, with status 0 and nothing on its standard error.
 * @param folder folder of the package: the examples import what it can import
 * @param options.document README.md unless told
 * @param options.capabilities what every example needs
 * @param options.timeout milliseconds that one example may take: 20 000 unless told
 */
export function readmeExamples(
  folder: string,
  options: { document?: string; capabilities?: Capabilities; timeout?: number } = {},
): void {
  const { document = 'README.md', timeout = 20_000 } = options;
  const always = options.capabilities === undefined ? [] : [options.capabilities].flat();
  const examples = extractExamples(readFileSync(join(folder, document), 'utf8'));
  const stem = document.replace(/\.md$/, '').replaceAll('/', '-').toLowerCase();
  const output = join(folder, 'dist-test', 'examples');

  describe(`examples of ${document}`, () => {
    before(() => {
      mkdirSync(output, { recursive: true });
    });

    // what the compiler says depends on no kernel, and takes it minutes in an emulator
    if (!inLab) {
      it('are there and are well typed', function () {
        this.timeout(scaled(60_000));
        if (examples.length === 0) throw new Error(`${document} has no \`\`\`ts block`);
        const files = examples.map(({ number, source }) => {
          const file = join(output, `${stem}-${number}.mts`);
          // a block without import or export is a script to the compiler, and cannot await
          writeFileSync(file, `${source}export {};\n`);
          return file;
        });
        const errors = typeErrors(files);
        if (errors.length > 0) throw new Error(errors.join('\n'));
      });
    }

    for (const { number, line, heading, source, requires } of examples) {
      itIf([...always, ...requires], `line ${line}, ${heading}: runs`, async function (this: Mocha.Context) {
        this.timeout(scaled(timeout + 5000));
        const file = join(output, `${stem}-${number}.mjs`);
        writeFileSync(file, stripTypes(source));
        const child = new Child(process.execPath, [file], { cwd: folder, input: '', timeout });
        await child.succeeded();
      });
    }
  });
}
