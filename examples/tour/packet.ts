import type { Step } from './step.js';

export const packetSteps: readonly Step[] = [];
