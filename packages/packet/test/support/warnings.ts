/** Records warnings and unhandled rejections of this process from now on. */
export function watchWarnings(): string[] {
  const seen: string[] = [];
  process.on('warning', ({ name, message }) => {
    if (name !== 'ExperimentalWarning') seen.push(`${name}: ${message}`);
  });
  process.on('unhandledRejection', (reason) => {
    seen.push(`unhandled rejection: ${String(reason)}`);
  });
  return seen;
}
