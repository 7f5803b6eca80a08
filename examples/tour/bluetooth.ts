import type { Step } from './step.js';

export const bluetoothSteps: readonly Step[] = [];
