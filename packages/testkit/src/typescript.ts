import { createRequire } from 'node:module';

type TypeScript = typeof import('typescript');
let loaded: TypeScript | undefined;

/** The compiler, loaded on first need: it is large and most tests do without. */
export function typescript(): TypeScript {
  loaded ??= createRequire(import.meta.url)('typescript') as TypeScript;
  return loaded;
}

/** TypeScript as JavaScript that every supported Node runs: types gone, `using` spelled out. */
export function stripTypes(source: string): string {
  const ts = typescript();
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
    },
  });
  return outputText;
}
