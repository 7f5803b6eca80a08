/** Bytes written in hexadecimal. */
export const fromHex = (digits: string): Buffer => Buffer.from(digits, 'hex');
