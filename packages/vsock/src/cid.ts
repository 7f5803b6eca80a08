import { closeSync, openSync } from 'node:fs';
import { ioctl, readU32, socketError } from '@sock/core';
import { IOCTL_VM_SOCKETS_GET_LOCAL_CID } from './constants.gen.js';

const DEVICE = '/dev/vsock';

function openDevice(): number {
  try {
    return openSync(DEVICE, 'r');
  } catch (error) {
    const { code = 'EIO' } = error as NodeJS.ErrnoException;
    const hint = code === 'EACCES' ? 'run as root, or give read permission to it' : 'load the module vsock';
    throw socketError('open', code, `${DEVICE}: ${hint}`);
  }
}

/**
 * The CID of this machine: of a guest that which its hypervisor gave it, else VMADDR_CID_HOST where it
 * can have guests; VMADDR_CID_ANY, or VMADDR_CID_LOCAL on newer kernels, where there is only the loopback. Does not wait.
 * @throws SocketError `ENOENT` where the kernel has no AF_VSOCK, `EACCES` where the user may not read
 * /dev/vsock. Source: vsock(7), IOCTL_VM_SOCKETS_GET_LOCAL_CID.
 */
export function getLocalCid(): number {
  const device = openDevice();
  try {
    const cid = new Uint8Array(4);
    ioctl(device, IOCTL_VM_SOCKETS_GET_LOCAL_CID, cid);
    return readU32(cid, 0);
  } finally {
    closeSync(device);
  }
}
