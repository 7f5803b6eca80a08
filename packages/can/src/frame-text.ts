import { checkString, outOfRange } from '@sock/core';
import { CAN_ERR_FLAG, CANFD_BRS, CANFD_ESI, CANFD_FDF, CANXL_SEC, CANXL_XLF } from './constants.gen.js';
import { type CanFrame, type CanFrameInput, packFrame, packReceived, unpackFrame } from './frame.js';
import { or } from './structures.js';

const hex = (value: number, digits: number): string => value.toString(16).toUpperCase().padStart(digits, '0');
const bytesText = (data: Buffer): string => data.toString('hex').toUpperCase();
const idText = (id: number, extended: boolean): string => hex(id, extended ? 8 : 3);

function fdText(frame: CanFrame & { kind: 'fd' }): string {
  const flags = (frame.brs ? CANFD_BRS : 0) | (frame.esi ? CANFD_ESI : 0);
  return `${idText(frame.id, frame.extended)}##${hex(flags, 1)}${bytesText(frame.data)}`;
}

function xlText({ priority, vcid, sec, sdt, af, data }: CanFrame & { kind: 'xl' }): string {
  const flags = CANXL_XLF | (sec ? CANXL_SEC : 0);
  return `${hex(vcid, 2)}${hex(priority, 3)}#${hex(flags, 2)}:${hex(sdt, 2)}:${hex(af, 8)}#${bytesText(data)}`;
}

function classicText({ id, extended, remote, dlc, data }: CanFrame & { kind: 'classic' }): string {
  const raw = dlc > 8 ? `_${hex(dlc, 1)}` : '';
  const content = remote ? `R${dlc === 0 ? '' : Math.min(dlc, 8)}` : bytesText(data);
  return `${idText(id, extended)}#${content}${raw}`;
}

/**
 * A frame as candump(1) writes it into log files and cansend(1) takes it: `123#DEADBEEF`,
 * `12345678#R4`, `123##1DEADBEEF`, `00123#80:00:00000000#01`. What is no frame known here is `?#` and
 * its bytes, which they do not read.
 */
export function formatFrame(frame: CanFrameInput): string {
  const bytes = packReceived(frame);
  const whole = unpackFrame(bytes) ?? { kind: 'unknown', data: bytes };
  switch (whole.kind) {
    case 'unknown':
      return `?#${bytesText(whole.data)}`;
    case 'fd':
      return fdText(whole);
    case 'xl':
      return xlText(whole);
    case 'error':
      return `${hex(or(whole.classes, CAN_ERR_FLAG), 8)}#${bytesText(whole.data)}`;
    default:
      return classicText(whole);
  }
}

const XL = /^([0-9a-f]{2})?([0-9a-f]{3})#([0-9a-f]{2}):([0-9a-f]{2}):([0-9a-f]{8})#([0-9a-f.]+)$/i;
const FD = /^([0-9a-f]{8}|[0-9a-f]{3})##([0-9a-f])([0-9a-f.]*)$/i;
const REMOTE = /^([0-9a-f]{8}|[0-9a-f]{3})#R([0-8])?(?:_([9a-f]))?$/i;
const CLASSIC = /^([0-9a-f]{8}|[0-9a-f]{3})#([0-9a-f.]*?)(?:_([9a-f]))?$/i;

const number = (text: string | undefined): number => Number.parseInt(text ?? '0', 16);
const dlcOf = (text: string | undefined): { dlc?: number } => (text === undefined ? {} : { dlc: number(text) });

// dots stand between bytes where somebody wants them
function parseBytes(digits: string | undefined): Buffer | undefined {
  const parts = (digits ?? '').split('.');
  if (parts.some((part) => part.length % 2 !== 0)) return undefined;
  return Buffer.from(parts.join(''), 'hex');
}

function parseInput(text: string): CanFrameInput | undefined {
  let match = XL.exec(text);
  if (match !== null) {
    const [, vcid, priority, flags, sdt, af, digits] = match;
    const data = parseBytes(digits);
    if (data === undefined || (number(flags) & CANXL_XLF) === 0) return undefined;
    const sec = (number(flags) & CANXL_SEC) !== 0;
    return { kind: 'xl', vcid: number(vcid), priority: number(priority), sec, sdt: number(sdt), af: number(af), data };
  }
  match = FD.exec(text);
  if (match !== null) {
    const [, id = '', digit, digits] = match;
    const flags = number(digit);
    const data = parseBytes(digits);
    if (data === undefined || (flags & ~(CANFD_BRS | CANFD_ESI | CANFD_FDF)) !== 0) return undefined;
    const brs = (flags & CANFD_BRS) !== 0;
    const esi = (flags & CANFD_ESI) !== 0;
    return { kind: 'fd', id: number(id), extended: id.length === 8, brs, esi, data };
  }
  match = REMOTE.exec(text);
  if (match !== null) {
    const [, id = '', length, raw] = match;
    const dlc = raw === undefined ? number(length) : number(raw);
    return { id: number(id), extended: id.length === 8, remote: true, dlc };
  }
  match = CLASSIC.exec(text);
  if (match === null) return undefined;
  const [, id = '', digits, raw] = match;
  const data = parseBytes(digits);
  if (data === undefined) return undefined;
  const canId = number(id);
  if (id.length === 8 && canId >= CAN_ERR_FLAG) return { kind: 'error', classes: canId - CAN_ERR_FLAG, data };
  return { id: canId, extended: id.length === 8, data, ...dlcOf(raw) };
}

/**
 * Reads a frame as `formatFrame` writes it; dots between bytes are allowed, as for cansend(1).
 * @throws RangeError for what is none
 */
export function parseFrame(text: string): CanFrame {
  const input = parseInput(checkString('text', text));
  if (input === undefined) {
    throw outOfRange('text', 'a frame such as 123#DEADBEEF, 12345678#R4 or 123##1DEADBEEF', text);
  }
  return unpackFrame(packFrame(input)) as CanFrame;
}
