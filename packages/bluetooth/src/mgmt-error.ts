import { errnoOf, SocketError } from '@sock/core';

/** Names and codes of status, by number. Source: mgmt-api.txt of BlueZ. */
const STATUS: readonly (readonly [name: string, code: string])[] = [
  ['SUCCESS', 'EIO'],
  ['UNKNOWN_COMMAND', 'EOPNOTSUPP'],
  ['NOT_CONNECTED', 'ENOTCONN'],
  ['FAILED', 'EIO'],
  ['CONNECT_FAILED', 'ECONNREFUSED'],
  ['AUTH_FAILED', 'EACCES'],
  ['NOT_PAIRED', 'ENOKEY'],
  ['NO_RESOURCES', 'ENOMEM'],
  ['TIMEOUT', 'ETIMEDOUT'],
  ['ALREADY_CONNECTED', 'EISCONN'],
  ['BUSY', 'EBUSY'],
  ['REJECTED', 'ECONNREFUSED'],
  ['NOT_SUPPORTED', 'EOPNOTSUPP'],
  ['INVALID_PARAMS', 'EINVAL'],
  ['DISCONNECTED', 'ECONNRESET'],
  ['NOT_POWERED', 'ENETDOWN'],
  ['CANCELLED', 'ECANCELED'],
  ['INVALID_INDEX', 'ENODEV'],
  ['RFKILLED', 'ERFKILL'],
  ['ALREADY_PAIRED', 'EEXIST'],
  ['PERMISSION_DENIED', 'EPERM'],
];

const HINTS: Readonly<Record<string, string>> = {
  UNKNOWN_COMMAND: '; this kernel has no such command',
  NOT_POWERED: '; power the controller first (mgmtSetPowered)',
  INVALID_INDEX: '; there is no such controller (any more), or the command is not one of a controller',
  RFKILLED: '; radio is blocked (rfkill unblock bluetooth)',
  PERMISSION_DENIED: '; this needs CAP_NET_ADMIN',
};

/** Name of a status of the management interface, such as `MGMT_STATUS_BUSY`. */
export function mgmtStatusName(status: number): string {
  const known = STATUS[status];
  return known === undefined ? `0x${status.toString(16).padStart(2, '0')}` : `MGMT_STATUS_${known[0]}`;
}

/** The kernel refused a command of the management interface, or failed in it: `status` says why. */
export class MgmtError extends SocketError {
  /** MGMT_STATUS_*. */
  readonly status: number;
  /** The command, MGMT_OP_*. */
  readonly opcode: number;

  constructor(label: string, opcode: number, status: number) {
    const [name = '', code = 'EIO'] = STATUS[status] ?? [];
    super(`send ${code} ${label}: ${mgmtStatusName(status)}${HINTS[name] ?? ''}`, {
      code,
      errno: -errnoOf(code),
      syscall: 'send',
    });
    this.status = status;
    this.opcode = opcode;
  }

  static {
    this.prototype.name = 'MgmtError';
  }
}
