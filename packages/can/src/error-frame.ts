import * as c from './constants.gen.js';

/**
 * What an error frame says, by the names of its constants. Members whose class is not set are `null`.
 * Source: kernel, linux/can/error.h.
 */
export interface CanErrorDetails {
  /** Classes, such as `'CAN_ERR_BUSOFF'`. */
  classes: string[];
  /** Bit at which arbitration was lost; 0 where it is not known. */
  lostArbitration: number | null;
  /** State of the controller, such as `'CAN_ERR_CRTL_TX_PASSIVE'`. */
  controller: string[] | null;
  /** Protocol violations, such as `'CAN_ERR_PROT_STUFF'`, and where in a frame, such as `'CAN_ERR_PROT_LOC_CRC_SEQ'`. */
  protocol: { violations: string[]; location: string } | null;
  /** State of the transceiver's wires, such as `'CAN_ERR_TRX_CANL_NO_WIRE'`. */
  transceiver: string[] | null;
  /** Error counters: of transmission and of reception. */
  counters: { tx: number; rx: number } | null;
}

type Names = readonly (readonly [value: number, name: string])[];

const named = (constants: Readonly<Record<string, number>>): Names =>
  Object.entries(constants).map(([name, value]) => [value, name]);

const CLASSES = named({
  CAN_ERR_TX_TIMEOUT: c.CAN_ERR_TX_TIMEOUT,
  CAN_ERR_LOSTARB: c.CAN_ERR_LOSTARB,
  CAN_ERR_CRTL: c.CAN_ERR_CRTL,
  CAN_ERR_PROT: c.CAN_ERR_PROT,
  CAN_ERR_TRX: c.CAN_ERR_TRX,
  CAN_ERR_ACK: c.CAN_ERR_ACK,
  CAN_ERR_BUSOFF: c.CAN_ERR_BUSOFF,
  CAN_ERR_BUSERROR: c.CAN_ERR_BUSERROR,
  CAN_ERR_RESTARTED: c.CAN_ERR_RESTARTED,
  CAN_ERR_CNT: c.CAN_ERR_CNT,
});

const CONTROLLER = named({
  CAN_ERR_CRTL_RX_OVERFLOW: c.CAN_ERR_CRTL_RX_OVERFLOW,
  CAN_ERR_CRTL_TX_OVERFLOW: c.CAN_ERR_CRTL_TX_OVERFLOW,
  CAN_ERR_CRTL_RX_WARNING: c.CAN_ERR_CRTL_RX_WARNING,
  CAN_ERR_CRTL_TX_WARNING: c.CAN_ERR_CRTL_TX_WARNING,
  CAN_ERR_CRTL_RX_PASSIVE: c.CAN_ERR_CRTL_RX_PASSIVE,
  CAN_ERR_CRTL_TX_PASSIVE: c.CAN_ERR_CRTL_TX_PASSIVE,
  CAN_ERR_CRTL_ACTIVE: c.CAN_ERR_CRTL_ACTIVE,
});

const VIOLATIONS = named({
  CAN_ERR_PROT_BIT: c.CAN_ERR_PROT_BIT,
  CAN_ERR_PROT_FORM: c.CAN_ERR_PROT_FORM,
  CAN_ERR_PROT_STUFF: c.CAN_ERR_PROT_STUFF,
  CAN_ERR_PROT_BIT0: c.CAN_ERR_PROT_BIT0,
  CAN_ERR_PROT_BIT1: c.CAN_ERR_PROT_BIT1,
  CAN_ERR_PROT_OVERLOAD: c.CAN_ERR_PROT_OVERLOAD,
  CAN_ERR_PROT_ACTIVE: c.CAN_ERR_PROT_ACTIVE,
  CAN_ERR_PROT_TX: c.CAN_ERR_PROT_TX,
});

const LOCATIONS = named({
  CAN_ERR_PROT_LOC_UNSPEC: c.CAN_ERR_PROT_LOC_UNSPEC,
  CAN_ERR_PROT_LOC_SOF: c.CAN_ERR_PROT_LOC_SOF,
  CAN_ERR_PROT_LOC_ID28_21: c.CAN_ERR_PROT_LOC_ID28_21,
  CAN_ERR_PROT_LOC_ID20_18: c.CAN_ERR_PROT_LOC_ID20_18,
  CAN_ERR_PROT_LOC_SRTR: c.CAN_ERR_PROT_LOC_SRTR,
  CAN_ERR_PROT_LOC_IDE: c.CAN_ERR_PROT_LOC_IDE,
  CAN_ERR_PROT_LOC_ID17_13: c.CAN_ERR_PROT_LOC_ID17_13,
  CAN_ERR_PROT_LOC_ID12_05: c.CAN_ERR_PROT_LOC_ID12_05,
  CAN_ERR_PROT_LOC_ID04_00: c.CAN_ERR_PROT_LOC_ID04_00,
  CAN_ERR_PROT_LOC_RTR: c.CAN_ERR_PROT_LOC_RTR,
  CAN_ERR_PROT_LOC_RES1: c.CAN_ERR_PROT_LOC_RES1,
  CAN_ERR_PROT_LOC_RES0: c.CAN_ERR_PROT_LOC_RES0,
  CAN_ERR_PROT_LOC_DLC: c.CAN_ERR_PROT_LOC_DLC,
  CAN_ERR_PROT_LOC_DATA: c.CAN_ERR_PROT_LOC_DATA,
  CAN_ERR_PROT_LOC_CRC_SEQ: c.CAN_ERR_PROT_LOC_CRC_SEQ,
  CAN_ERR_PROT_LOC_CRC_DEL: c.CAN_ERR_PROT_LOC_CRC_DEL,
  CAN_ERR_PROT_LOC_ACK: c.CAN_ERR_PROT_LOC_ACK,
  CAN_ERR_PROT_LOC_ACK_DEL: c.CAN_ERR_PROT_LOC_ACK_DEL,
  CAN_ERR_PROT_LOC_EOF: c.CAN_ERR_PROT_LOC_EOF,
  CAN_ERR_PROT_LOC_INTERM: c.CAN_ERR_PROT_LOC_INTERM,
});

/** One state for each of the two wires: the lower four bits, and the upper four. */
const WIRES = named({
  CAN_ERR_TRX_CANH_NO_WIRE: c.CAN_ERR_TRX_CANH_NO_WIRE,
  CAN_ERR_TRX_CANH_SHORT_TO_BAT: c.CAN_ERR_TRX_CANH_SHORT_TO_BAT,
  CAN_ERR_TRX_CANH_SHORT_TO_VCC: c.CAN_ERR_TRX_CANH_SHORT_TO_VCC,
  CAN_ERR_TRX_CANH_SHORT_TO_GND: c.CAN_ERR_TRX_CANH_SHORT_TO_GND,
  CAN_ERR_TRX_CANL_NO_WIRE: c.CAN_ERR_TRX_CANL_NO_WIRE,
  CAN_ERR_TRX_CANL_SHORT_TO_BAT: c.CAN_ERR_TRX_CANL_SHORT_TO_BAT,
  CAN_ERR_TRX_CANL_SHORT_TO_VCC: c.CAN_ERR_TRX_CANL_SHORT_TO_VCC,
  CAN_ERR_TRX_CANL_SHORT_TO_GND: c.CAN_ERR_TRX_CANL_SHORT_TO_GND,
  CAN_ERR_TRX_CANL_SHORT_TO_CANH: c.CAN_ERR_TRX_CANL_SHORT_TO_CANH,
});

const bitsOf = (names: Names, bits: number): string[] =>
  names.filter(([bit]) => (bits & bit) !== 0).map(([, name]) => name);

function wiresOf(state: number): string[] {
  const halves = [state & 0x0f, state & 0xf0].filter((half) => half !== 0);
  return WIRES.filter(([value]) => halves.includes(value)).map(([, name]) => name);
}

/**
 * What an error frame's classes and data say.
 * @param classes CAN_ERR_* classes, or-ed together
 * @param data its 8 bytes; what is missing is taken as 0
 */
export function describeCanError(classes: number, data: Uint8Array): CanErrorDetails {
  const at = (index: number): number => data[index] ?? 0;
  const has = (bit: number): boolean => (classes & bit) !== 0;
  const location = LOCATIONS.find(([value]) => value === at(3));
  return {
    classes: bitsOf(CLASSES, classes),
    lostArbitration: has(c.CAN_ERR_LOSTARB) ? at(0) : null,
    controller: has(c.CAN_ERR_CRTL) ? bitsOf(CONTROLLER, at(1)) : null,
    protocol: has(c.CAN_ERR_PROT)
      ? { violations: bitsOf(VIOLATIONS, at(2)), location: location?.[1] ?? `0x${at(3).toString(16)}` }
      : null,
    transceiver: has(c.CAN_ERR_TRX) ? wiresOf(at(4)) : null,
    counters: has(c.CAN_ERR_CNT) ? { tx: at(6), rx: at(7) } : null,
  };
}
