import {
  CAN_EFF_MASK,
  CAN_ERR_MASK,
  CAN_SFF_MASK,
  type CanFrameInput,
  type ClassicFrameInput,
  type ErrorFrameInput,
  type FdFrameInput,
  type XlFrameInput,
} from '@sock/can';
import fc from 'fast-check';

const FD_LENGTHS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64];

const bytes = (minLength: number, maxLength = minLength) =>
  fc.uint8Array({ minLength, maxLength }).map((data) => Buffer.from(data));

/** An identifier with its format. */
export const identifier = fc.oneof(
  fc.record({ id: fc.nat(CAN_SFF_MASK), extended: fc.constant(false) }),
  fc.record({ id: fc.nat(CAN_EFF_MASK), extended: fc.constant(true) }),
);

const withData = fc.record({ data: bytes(0, 8) }).map(({ data }) => ({ remote: false, data, dlc: data.length }));
const withCode = fc
  .record({ data: bytes(8), dlc: fc.integer({ min: 9, max: 15 }) })
  .map((content) => ({ remote: false, ...content }));
const remote = fc.nat(15).map((dlc) => ({ remote: true, dlc, data: Buffer.alloc(0) }));

export const classicFrame: fc.Arbitrary<Required<ClassicFrameInput>> = fc
  .tuple(identifier, fc.oneof(withData, withCode, remote))
  .map(([id, content]) => ({ kind: 'classic' as const, ...id, ...content }));

export const fdFrame: fc.Arbitrary<Required<FdFrameInput>> = fc
  .tuple(
    identifier,
    fc.boolean(),
    fc.boolean(),
    fc.constantFrom(...FD_LENGTHS).chain((length) => bytes(length)),
  )
  .map(([id, brs, esi, data]) => ({ kind: 'fd' as const, ...id, brs, esi, data }));

export const xlFrame: fc.Arbitrary<Required<XlFrameInput>> = fc.record({
  kind: fc.constant('xl' as const),
  priority: fc.nat(CAN_SFF_MASK),
  vcid: fc.nat(255),
  sec: fc.boolean(),
  sdt: fc.nat(255),
  af: fc.integer({ min: 0, max: 0xffffffff }),
  data: bytes(1, 300),
});

export const errorFrame: fc.Arbitrary<ErrorFrameInput> = fc.record({
  kind: fc.constant('error' as const),
  classes: fc.nat(CAN_ERR_MASK),
  data: bytes(8),
});

export const anyFrame: fc.Arbitrary<CanFrameInput> = fc.oneof(classicFrame, fdFrame, xlFrame, errorFrame);
