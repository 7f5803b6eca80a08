import fc from 'fast-check';

/** Any port. */
export const port = fc.integer({ min: 0, max: 0xffff });

/** Any IPv4 address as text. */
export const ipv4 = fc.ipV4();

/** Any IPv6 address as text, in any of the ways to write it. */
export const ipv6 = fc.ipV6();

/** Any 16 bytes, with runs of zeros as real addresses have them. */
export const ipv6Bytes = fc
  .array(fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 0xffff })), {
    minLength: 8,
    maxLength: 8,
  })
  .map((words) => {
    const bytes = Buffer.alloc(16);
    words.forEach((word, i) => {
      bytes.writeUInt16BE(word, 2 * i);
    });
    return bytes;
  });

/** Text that is nearly an address. */
export const almostAddress = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'0123456789abcfxX:.% ') }),
  fc.tuple(ipv4, fc.nat(), fc.constantFrom('', '.', '0', 'x', ' ', ':')).map(insert),
  fc.tuple(ipv6, fc.nat(), fc.constantFrom('', ':', '::', '0', 'g', '.', '%1')).map(insert),
);

function insert([text, at, what]: [string, number, string]): string {
  const place = at % (text.length + 1);
  return what === '' ? text.slice(0, place) + text.slice(place + 1) : text.slice(0, place) + what + text.slice(place);
}
