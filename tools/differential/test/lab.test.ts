import { execFileSync } from 'node:child_process';
import { algCases } from './cases/alg.js';
import { bluetoothCases } from './cases/bluetooth.js';
import { CAN, canCases } from './cases/can.js';
import { qrtrCases } from './cases/qrtr.js';
import { rdsCases } from './cases/rds.js';
import { tipcCases } from './cases/tipc.js';
import { vsockCases } from './cases/vsock.js';
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
compare('TIPC', tipcCases, 'AF_TIPC');
compare('RDS', rdsCases, 'AF_RDS');
compare('QRTR', qrtrCases, 'AF_QIPCRTR');
compare('vsock', vsockCases, 'AF_VSOCK');
compare('Bluetooth', bluetoothCases, 'AF_BLUETOOTH');
