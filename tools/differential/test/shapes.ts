// Addresses in the shapes that Python gives them.
import type { InetAddress, IpAddress } from '@sock/inet';

/** (host, port) or (host, port, flowinfo, scope_id). */
export function ipTuple(address: IpAddress): unknown[] {
  const { host, port } = address;
  return 'scopeid' in address ? [host, port, address.flowinfo, address.scopeid] : [host, port];
}

/** Without the port, where the kernel chose it. */
export const hostOf = ({ host }: InetAddress): string => host;
