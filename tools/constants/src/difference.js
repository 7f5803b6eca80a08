const LIMIT = 40;

/**
 * Lines that only one of two texts has, marked as diff(1) marks them; empty when the texts are equal.
 *
 * @param {string} found
 * @param {string} wanted
 */
export function difference(found, wanted) {
  if (found === wanted) return '';
  const foundLines = found.split('\n');
  const wantedLines = wanted.split('\n');
  const inFound = new Set(foundLines);
  const inWanted = new Set(wantedLines);
  const changes = [
    ...foundLines.filter((line) => !inWanted.has(line)).map((line) => `- ${line}`),
    ...wantedLines.filter((line) => !inFound.has(line)).map((line) => `+ ${line}`),
  ];
  if (changes.length === 0) return 'the order of the lines differs';
  const rest = changes.length - LIMIT;
  return [...changes.slice(0, LIMIT), ...(rest > 0 ? [`… and ${rest} more`] : [])].join('\n');
}
