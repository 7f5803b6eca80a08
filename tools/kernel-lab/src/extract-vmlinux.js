// node extract-vmlinux.js VMLINUZ OUT - the ELF kernel inside a bzImage.
//
// The layout is that of the x86 boot protocol (Documentation/arch/x86/boot.rst): setup_sects at 0x1f1,
// payload_offset and payload_length at 0x248, both relative to the protected-mode code.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const DECOMPRESSORS = [
  { magic: 'fd377a585a00', program: 'xz' },
  { magic: '1f8b', program: 'gzip' },
  { magic: '28b52ffd', program: 'zstd' },
];

const [, , source, target] = process.argv;
if (source === undefined || target === undefined) {
  console.error('usage: extract-vmlinux.js VMLINUZ OUT');
  process.exit(2);
}
const image = readFileSync(source);
const code = ((image[0x1f1] || 4) + 1) * 512;
const start = code + image.readUInt32LE(0x248);
const payload = image.subarray(start, start + image.readUInt32LE(0x24c));
const found = DECOMPRESSORS.find(({ magic }) => payload.subarray(0, magic.length / 2).toString('hex') === magic);
if (found === undefined) {
  console.error(`${source}: unknown compression ${payload.subarray(0, 6).toString('hex')}`);
  process.exit(1);
}
// The length of the output follows the stream, so every decompressor complains of trailing bytes:
// what it wrote is judged instead of its status.
const { stdout, error } = spawnSync(found.program, ['-dcq'], { input: payload, maxBuffer: 2 ** 30 });
if (error) throw error;
if (stdout.subarray(0, 4).toString('latin1') !== '\x7fELF') {
  console.error(`${source}: no ELF file inside`);
  process.exit(1);
}
writeFileSync(target, stdout);
