import {
  BPF_A,
  BPF_ABS,
  BPF_ADD,
  BPF_ALU,
  BPF_DIV,
  BPF_H,
  BPF_JA,
  BPF_JEQ,
  BPF_JMP,
  BPF_K,
  BPF_LD,
  BPF_LSH,
  BPF_MEM,
  BPF_MOD,
  BPF_RET,
  BPF_ST,
  BPF_W,
  BPF_X,
  type FilterInstruction,
  packFilter,
  SKF_AD_ALU_XOR_X,
  SKF_AD_OFF,
  SKF_AD_PKTTYPE,
  SKF_AD_VLAN_TPID,
  SOCK_RAW,
  Socket,
  soAttachFilter,
  unpackFilter,
} from '@sock/core';
import { checkFilter, ETH_P_IP, type FilterProgram, packet, packetFanoutData } from '@sock/packet';
import { describeIf, thrown } from '@sock/testkit';
import { expect } from 'chai';
import fc from 'fast-check';

const ACCEPT: FilterInstruction = { code: BPF_RET | BPF_K, k: 0xffff };
const LOAD_PROTOCOL: FilterInstruction = { code: BPF_LD | BPF_H | BPF_ABS, k: 12 };

const onlyIp: readonly FilterInstruction[] = [
  LOAD_PROTOCOL,
  { code: BPF_JMP | BPF_JEQ | BPF_K, k: ETH_P_IP, jt: 0, jf: 1 },
  ACCEPT,
  { code: BPF_RET | BPF_K, k: 0 },
];

describe('filters', () => {
  it('that are right are given back as bytes', () => {
    const bytes = checkFilter(onlyIp);
    expect(bytes).to.deep.equal(packFilter(onlyIp));
    expect(checkFilter(bytes)).to.equal(bytes);
    expect(unpackFilter(bytes)).to.have.length(4);
    expect(checkFilter([{ code: BPF_RET | BPF_A }])).to.have.length(8);
    expect(checkFilter(Array.from({ length: 4096 }, () => ACCEPT))).to.have.length(4096 * 8);
  });

  it('may load the ancillary values that there are', () => {
    for (let value = SKF_AD_PKTTYPE; value <= SKF_AD_VLAN_TPID; value += 4) {
      checkFilter([{ code: BPF_LD | BPF_W | BPF_ABS, k: SKF_AD_OFF + value }, ACCEPT]);
    }
    expect(SKF_AD_ALU_XOR_X).to.be.below(SKF_AD_VLAN_TPID);
  });

  it('may load scratch memory that every way stored before', () => {
    checkFilter([
      LOAD_PROTOCOL,
      { code: BPF_JMP | BPF_JEQ | BPF_K, k: 1, jt: 1, jf: 0 },
      { code: BPF_ST, k: 3 },
      { code: BPF_ST, k: 3 },
      { code: BPF_LD | BPF_MEM, k: 3 },
      ACCEPT,
    ]);
  });

  const jump = (code: number, rest: Partial<FilterInstruction>) => ({ code: BPF_JMP | code | BPF_K, ...rest });
  const wrong: [what: string, program: unknown, argument: string][] = [
    ['nothing', undefined, 'program'],
    ['no instructions', [], 'program'],
    ['too many instructions', Array.from({ length: 4097 }, () => ACCEPT), 'program'],
    ['bytes that are no instructions', new Uint8Array(12), 'program'],
    ['an instruction that is none', [5], 'program[0]'],
    ['an operation that does not fit', [{ code: 0x10000 }], 'program[0].code'],
    ['an unknown operation', [{ code: 0xff }, ACCEPT], 'program[0].code'],
    ['a 64-bit load, of eBPF', [{ code: BPF_LD | 0x18 }, ACCEPT], 'program[0].code'],
    ['no return at the end', [ACCEPT, LOAD_PROTOCOL], 'program[1].code'],
    ['a jump to behind the end', [jump(BPF_JEQ, { jt: 1 }), ACCEPT], 'program[0].jt'],
    ['a jump to behind the end, where not', [jump(BPF_JEQ, { jf: 1 }), ACCEPT], 'program[0].jf'],
    ['a long jump to behind the end', [jump(BPF_JA, { k: 1 }), ACCEPT], 'program[0].k'],
    ['a jump backwards', [ACCEPT, jump(BPF_JA, { k: -1 }), ACCEPT], 'program[1].k'],
    ['a jump as the last', [jump(BPF_JA, { k: 0 })], 'program[0].k'],
    ['a division by 0', [{ code: BPF_ALU | BPF_DIV | BPF_K, k: 0 }, ACCEPT], 'program[0].k'],
    ['a remainder of 0', [{ code: BPF_ALU | BPF_MOD | BPF_K, k: 0 }, ACCEPT], 'program[0].k'],
    ['a shift of 32 bits', [{ code: BPF_ALU | BPF_LSH | BPF_K, k: 32 }, ACCEPT], 'program[0].k'],
    ['scratch memory that there is not', [{ code: BPF_ST, k: 16 }, ACCEPT], 'program[0].k'],
    ['scratch memory that was not stored', [{ code: BPF_LD | BPF_MEM, k: 0 }, ACCEPT], 'program[0].k'],
    [
      'scratch memory that not every way stored',
      [jump(BPF_JEQ, { jt: 1 }), { code: BPF_ST, k: 0 }, { code: BPF_LD | BPF_MEM, k: 0 }, ACCEPT],
      'program[2].k',
    ],
    [
      'an ancillary value that there is not',
      [{ code: BPF_LD | BPF_W | BPF_ABS, k: SKF_AD_OFF + 64 }, ACCEPT],
      'program[0].k',
    ],
    ['an ancillary value between two', [{ code: BPF_LD | BPF_W | BPF_ABS, k: SKF_AD_OFF + 1 }, ACCEPT], 'program[0].k'],
  ];
  for (const [what, program, argument] of wrong) {
    it(`with ${what} are refused`, () => {
      expect(thrown(() => checkFilter(program as FilterProgram))).to.include({ argument });
    });
  }

  it('of a fanout group are checked as well', () => {
    const failure = thrown(() => packetFanoutData.encode([LOAD_PROTOCOL], undefined as never));
    expect(failure).to.include({ argument: 'value[0].code' });
    expect(packetFanoutData.encode(onlyIp, undefined as never)).to.deep.equal(checkFilter(onlyIp));
  });
});

describeIf('AF_PACKET', 'filters, in the opinion of the kernel', () => {
  const codes = [BPF_LD, 1, 2, 3, BPF_ALU, BPF_JMP, BPF_RET, 7].flatMap((kind) =>
    Array.from({ length: 32 }, (_, i) => kind | (i << 3)),
  );
  // near what is right: jumps and operands that are small, and those at the borders
  const operand = fc.oneof(
    fc.nat(6),
    fc.constantFrom(15, 16, 31, 32, SKF_AD_OFF, SKF_AD_OFF + 4, SKF_AD_OFF + 60, SKF_AD_OFF + 64, SKF_AD_OFF + 2, -1),
  );
  const likely = fc.constantFrom(
    BPF_LD | BPF_H | BPF_ABS,
    BPF_LD | BPF_MEM,
    BPF_ST,
    BPF_JMP | BPF_JEQ | BPF_K,
    BPF_JMP | BPF_JEQ | BPF_X,
    BPF_JMP | BPF_JA,
    BPF_ALU | BPF_ADD | BPF_X,
    BPF_ALU | BPF_DIV | BPF_K,
    BPF_RET | BPF_K,
  );
  const instruction = fc.record({
    code: fc.oneof({ weight: 4, arbitrary: likely }, { weight: 1, arbitrary: fc.constantFrom(...codes) }),
    jt: fc.nat(4),
    jf: fc.nat(4),
    k: operand,
  });
  const program = fc
    .tuple(fc.array(instruction, { maxLength: 8 }), fc.boolean())
    .map(([body, ends]) => (ends || body.length === 0 ? [...body, { ...ACCEPT, jt: 0, jf: 0, k: 1 }] : body));

  it('are right where these checks say so', () => {
    using socket = new Socket(packet, SOCK_RAW, 0);
    const accepts = (check: () => unknown): boolean => {
      try {
        check();
        return true;
      } catch (error) {
        expect((error as { code: string }).code).to.be.oneOf(['EINVAL', 'ERR_OUT_OF_RANGE']);
        return false;
      }
    };
    let right = 0;
    fc.assert(
      fc.property(program, (value) => {
        const kernel = accepts(() => socket.setOption(soAttachFilter, packFilter(value)));
        expect(accepts(() => checkFilter(value))).to.equal(kernel);
        if (kernel) right++;
      }),
      { numRuns: 3000 },
    );
    expect(right).to.be.above(100);
  }).timeout(20_000);
});
