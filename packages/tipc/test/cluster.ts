import { execFileSync } from 'node:child_process';
import { scaled, unique } from '@sock/testkit';
import { TipcSocket, type TipcSocketOptions } from '@sock/tipc';

export const hasTipc = ['AF_TIPC'] as const;

/** A socket whose operations end in time. */
export function open(options: TipcSocketOptions = {}): TipcSocket {
  const socket = new TipcSocket(options);
  socket.timeout = scaled(5000);
  return socket;
}

let serial = 64 + 1000 * (process.pid % 1000);

/** A type of service that nobody uses. */
export const freshType = (): number => ++serial;

/** Runs a command. */
export function run(command: string, ...args: readonly string[]): string {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

/** A name for a namespace or an interface that nobody uses. */
export const freshName = (): string => `t${process.pid % 10_000}${unique().toString().slice(-6)}`;
