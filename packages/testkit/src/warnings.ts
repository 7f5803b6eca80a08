/** What went wrong in this process outside any test: warnings and rejections that nobody handled. */
const seen: string[] = [];

/** Warnings that say nothing about the code under test. */
const HARMLESS = new Set(['ExperimentalWarning', 'DeprecationWarning', 'NODE_TLS_REJECT_UNAUTHORIZED']);

let watching = false;

/** Starts to record process warnings and unhandled rejections. */
export function watchWarnings(): void {
  if (watching) return;
  watching = true;
  process.on('warning', (warning) => {
    if (!HARMLESS.has(warning.name)) seen.push(`${warning.name}: ${warning.message}`);
  });
  process.on('unhandledRejection', (reason) => {
    seen.push(`unhandled rejection: ${reason instanceof Error ? (reason.stack ?? reason.message) : String(reason)}`);
  });
}

/** Gives what was recorded and forgets it: for a test that provokes a warning, and for the check of each file. */
export function takeWarnings(): string[] {
  return seen.splice(0);
}
