import { checkTimeout } from './drivers.js';

let defaultTimeout: number | null = null;

/**
 * Timeout of sockets made from now on in this thread: milliseconds, `null` for none. Sockets that
 * the library opens for itself ignore it.
 */
export function setDefaultTimeout(timeout: number | null): void {
  defaultTimeout = checkTimeout(timeout);
}

/** What `setDefaultTimeout` has set; `null` from the start. */
export function getDefaultTimeout(): number | null {
  return defaultTimeout;
}
