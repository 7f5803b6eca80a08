import { execFileSync } from 'node:child_process';
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
