import {
  BPF_A,
  BPF_ABS,
  BPF_ADD,
  BPF_ALU,
  BPF_AND,
  BPF_B,
  BPF_DIV,
  BPF_H,
  BPF_IMM,
  BPF_IND,
  BPF_JA,
  BPF_JEQ,
  BPF_JGE,
  BPF_JGT,
  BPF_JMP,
  BPF_JSET,
  BPF_K,
  BPF_LD,
  BPF_LDX,
  BPF_LEN,
  BPF_LSH,
  BPF_MEM,
  BPF_MEMWORDS,
  BPF_MISC,
  BPF_MOD,
  BPF_MSH,
  BPF_MUL,
  BPF_NEG,
  BPF_OR,
  BPF_RET,
  BPF_RSH,
  BPF_ST,
  BPF_STX,
  BPF_SUB,
  BPF_TAX,
  BPF_TXA,
  BPF_W,
  BPF_X,
  BPF_XOR,
  type FilterInstruction,
  outOfRange,
  packFilter,
  SKF_AD_OFF,
  SKF_AD_VLAN_TPID,
  unpackFilter,
} from '@sock/core';

/** A classic BPF program: instructions, or the bytes of such (8 for each). */
export type FilterProgram = readonly FilterInstruction[] | ArrayBufferView | ArrayBuffer;

const OPERATIONS = [
  ...[BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_MOD, BPF_AND, BPF_OR, BPF_XOR, BPF_LSH, BPF_RSH].flatMap((operation) => [
    BPF_ALU | operation | BPF_K,
    BPF_ALU | operation | BPF_X,
  ]),
  BPF_ALU | BPF_NEG,
  ...[BPF_W, BPF_H, BPF_B].flatMap((size) => [BPF_LD | BPF_ABS | size, BPF_LD | BPF_IND | size]),
  BPF_LD | BPF_W | BPF_LEN,
  BPF_LD | BPF_IMM,
  BPF_LD | BPF_MEM,
  BPF_LDX | BPF_W | BPF_LEN,
  BPF_LDX | BPF_B | BPF_MSH,
  BPF_LDX | BPF_IMM,
  BPF_LDX | BPF_MEM,
  BPF_ST,
  BPF_STX,
  BPF_MISC | BPF_TAX,
  BPF_MISC | BPF_TXA,
  BPF_RET | BPF_K,
  BPF_RET | BPF_A,
  BPF_JMP | BPF_JA,
  ...[BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET].flatMap((jump) => [BPF_JMP | jump | BPF_K, BPF_JMP | jump | BPF_X]),
];

/** The operations that a program may have. Source: the kernel's net/core/filter.c. */
const KNOWN: ReadonlySet<number> = new Set(OPERATIONS);

const CLASS_MASK = 0x07;

const MEMORY: ReadonlySet<number> = new Set([BPF_LD | BPF_MEM, BPF_LDX | BPF_MEM, BPF_ST, BPF_STX]);
const SHIFTS: ReadonlySet<number> = new Set([BPF_ALU | BPF_LSH | BPF_K, BPF_ALU | BPF_RSH | BPF_K]);
const DIVISIONS: ReadonlySet<number> = new Set([BPF_ALU | BPF_DIV | BPF_K, BPF_ALU | BPF_MOD | BPF_K]);
const FIXED_LOADS: ReadonlySet<number> = new Set([BPF_W, BPF_H, BPF_B].map((size) => BPF_LD | BPF_ABS | size));

// the ancillary values, as the unsigned offsets that instructions have; each is a word
const ANCILLARY_START = SKF_AD_OFF >>> 0;
const ANCILLARY_LAST = ANCILLARY_START + SKF_AD_VLAN_TPID;

function checkOperand(at: string, code: number, k: number): void {
  const operand = `${at}.k`;
  if (MEMORY.has(code) && k >= BPF_MEMWORDS) {
    throw outOfRange(operand, `a word of scratch memory, 0 to ${BPF_MEMWORDS - 1}`, k);
  }
  if (SHIFTS.has(code) && k >= 32) throw outOfRange(operand, 'a shift of 0 to 31 bits', k);
  if (DIVISIONS.has(code) && k === 0) throw outOfRange(operand, 'a divisor other than 0', k);
  if (FIXED_LOADS.has(code) && k >= ANCILLARY_START && (k > ANCILLARY_LAST || k % 4 !== 0)) {
    throw outOfRange(operand, 'an offset in the packet, or SKF_AD_OFF and one of SKF_AD_*', k);
  }
}

// every way through the program stores a word of scratch memory before it loads it
function checkScratch(argument: string, program: readonly Required<FilterInstruction>[]): void {
  const ALL = (1 << BPF_MEMWORDS) - 1;
  const arriving = new Array<number>(program.length).fill(ALL);
  let stored = 0;
  const meet = (index: number): void => {
    arriving[index] = (arriving[index] as number) & stored;
  };
  program.forEach(({ code, jt, jf, k }, i) => {
    stored &= arriving[i] as number;
    if (code === BPF_ST || code === BPF_STX) stored |= 1 << k;
    else if (MEMORY.has(code)) {
      if ((stored & (1 << k)) === 0)
        throw outOfRange(`${argument}[${i}].k`, 'a word of scratch memory stored before', k);
    } else if (code === (BPF_JMP | BPF_JA)) {
      meet(i + 1 + k);
      stored = ALL;
    } else if ((code & CLASS_MASK) === BPF_JMP) {
      meet(i + 1 + jt);
      meet(i + 1 + jf);
      stored = ALL;
    }
  });
}

/**
 * Checks a program as the kernel will: operations that exist, jumps that stay in the program, a
 * return at its end, no division by a constant 0, shifts and scratch memory within bounds. The
 * kernel itself says no more than EINVAL.
 * @param argument name of the program for messages: `program` unless told
 * @returns its bytes
 * @throws TypeError or RangeError naming the instruction, such as `program[3].jt`
 */
export function checkFilter(program: FilterProgram, argument = 'program'): Uint8Array {
  const bytes = packFilter(program, argument);
  const instructions = unpackFilter(bytes) as Required<FilterInstruction>[];
  const count = instructions.length;
  instructions.forEach(({ code, jt, jf, k }, i) => {
    const at = `${argument}[${i}]`;
    if (!KNOWN.has(code)) throw outOfRange(`${at}.code`, 'an operation of classic BPF', code);
    checkOperand(at, code, k);
    if ((code & CLASS_MASK) !== BPF_JMP) return;
    const left = count - i - 1;
    const expected = `a jump to an instruction that follows (${left} do)`;
    if (code === (BPF_JMP | BPF_JA)) {
      if (k >= left) throw outOfRange(`${at}.k`, expected, k);
      return;
    }
    if (jt >= left) throw outOfRange(`${at}.jt`, expected, jt);
    if (jf >= left) throw outOfRange(`${at}.jf`, expected, jf);
  });
  const last = instructions[count - 1]?.code;
  if (last !== (BPF_RET | BPF_K) && last !== (BPF_RET | BPF_A)) {
    throw outOfRange(`${argument}[${count - 1}].code`, 'BPF_RET, as the last of a program', last);
  }
  checkScratch(argument, instructions);
  return bytes;
}
