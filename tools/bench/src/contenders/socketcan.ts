// CAN frames received with the package socketcan, with their times where the first argument is `timestamps`.
import { Credit } from './credit.js';
import { argument, Meter, ready } from './meter.js';
import { peer } from './peer.js';

interface Frame {
  id: number;
  data: Buffer;
}

interface RawChannel {
  addListener(event: 'onMessage', listener: (frame: Frame) => void): void;
  setRxFilters(filter: { id: number; mask: number; invert?: boolean }): void;
  start(): void;
  send(frame: Frame): void;
}

const { createRawChannel } = peer<{
  createRawChannel(name: string, timestamps: boolean): RawChannel;
}>('socketcan');
const name = argument(1);
const window = Number(argument(2));
const creditId = 0x7ff;

const channel = createRawChannel(name, argument(0) === 'timestamps');
const credit = new Credit(window);
const token = { id: creditId, data: Buffer.alloc(0) };
let seen = 0;
const meter = new Meter();
channel.setRxFilters({ id: creditId, mask: 0x7ff, invert: true });
channel.addListener('onMessage', (frame) => {
  seen += frame.id + (frame.data[0] as number);
  if (credit.due(1)) channel.send(token);
  if (meter.add(1)) process.exit(seen === 0 ? 1 : 0);
});
channel.start();
ready(name, window);
