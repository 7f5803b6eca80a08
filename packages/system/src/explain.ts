import { clauseOf, type FailedCall } from '@sock/core';

/** The clauses by call and code. Source: bsd/kern/kern_control.c of XNU. */
const CLAUSES: Readonly<Record<string, string>> = {
  'connect ENOENT': 'there is no control of that number; `controlId` tells the number by the name',
  'connect EBUSY': "that unit is taken; 0 is a free one of the kernel's choice",
  'connect EPERM': 'this control is for root',
  'connect EPROTOTYPE': 'this control takes sockets of the other type, SOCK_STREAM or SOCK_DGRAM',
  'ioctl ENOENT': 'there is no control of that name',
};

/** The remedy for a failed call on a socket of AF_SYSTEM, where there is one to name. */
export const explain = (failure: FailedCall): string | undefined => clauseOf(failure, CLAUSES);
