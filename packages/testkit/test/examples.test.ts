import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { extractExamples, pattern, sha256, stripTypes, typeErrors } from '@sock/testkit';
import { expect } from 'chai';

const DOCUMENT = `# Title
\`\`\`ts
const a = 1;
\`\`\`
## Second
\`\`\`js
not this
\`\`\`
\`\`\`\`md
\`\`\`ts
nor this
\`\`\`
\`\`\`\`
\`\`\`ts requires=AF_CAN,root
const b = 2;

const c = 3;
\`\`\`
`;

describe('examples of documents', () => {
  it('are found, with their headings and needs', () => {
    expect(extractExamples(DOCUMENT)).to.deep.equal([
      { number: 1, line: 3, heading: 'Title', source: 'const a = 1;\n', requires: [] },
      {
        number: 2,
        line: 15,
        heading: 'Second',
        source: 'const b = 2;\n\nconst c = 3;\n',
        requires: ['AF_CAN', 'root'],
      },
    ]);
  });

  it('lose their types, and keep their imports and their meaning', () => {
    const source = `import { a } from 'a';\nconst n: number = a as number;\nexport const m = n satisfies number;\n`;
    expect(stripTypes(source)).to.match(/^import \{ a \} from 'a';\nconst n = a;\nexport const m = n;/);
  });

  it('are checked for their types', function () {
    this.timeout(60_000);
    const folder = fileURLToPath(new URL('scratch', import.meta.url));
    mkdirSync(folder, { recursive: true });
    const good = join(folder, 'good.mts');
    const wrong = join(folder, 'wrong.mts');
    writeFileSync(good, `import { AF_UNIX } from '@sock/core';\nawait Promise.resolve(AF_UNIX + 1);\nexport {};\n`);
    writeFileSync(wrong, `import { AF_UNIX } from '@sock/core';\nconst s: string = AF_UNIX;\nexport { s };\n`);
    expect(typeErrors([good])).to.deep.equal([]);
    expect(typeErrors([wrong])).to.have.length(1);
    expect(typeErrors([wrong])[0]).to.match(/wrong\.mts:2: Type 'number' is not assignable/);
  });
});

describe('test data', () => {
  it('is the same for the same seed, and differs in every piece', () => {
    expect(sha256(pattern(1000, 5))).to.equal(sha256(pattern(1000, 5)));
    expect(sha256(pattern(1000, 5))).to.not.equal(sha256(pattern(1000, 6)));
    const data = pattern(1_000_000);
    const pieces = new Set<string>();
    for (let i = 0; i < data.length; i += 1000) pieces.add(data.toString('hex', i, i + 16));
    expect(pieces.size).to.equal(1000);
    expect(sha256('ab', Buffer.from('c'))).to.equal('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});
