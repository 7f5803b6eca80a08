import { domainToASCII } from 'node:url';
import { outOfRange } from '@sock/core';

const ASCII = /^[\0-\x7f]*$/;

/** An internationalised name in the form that the name databases know: IDNA, RFC 5891. */
export function asciiName(argument: string, name: string): string {
  if (ASCII.test(name)) return name;
  const ascii = domainToASCII(name);
  if (ascii === '') throw outOfRange(argument, 'a host name', name);
  return ascii;
}
