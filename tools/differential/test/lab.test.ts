import { execFileSync } from 'node:child_process';
import { algCases } from './cases/alg.js';
import { bluetoothCases } from './cases/bluetooth.js';
import { CAN, canCases } from './cases/can.js';
import { compare } from './compare.js';

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

compare('CAN', canCases, ['AF_CAN', 'root'], () => {
  before(() => {
    ip('link', 'add', CAN, 'type', 'vcan');
    ip('link', 'set', CAN, 'up');
  });
  after(() => ip('link', 'delete', CAN));
});
compare('ALG', algCases, 'AF_ALG');
compare('Bluetooth', bluetoothCases, 'AF_BLUETOOTH');
