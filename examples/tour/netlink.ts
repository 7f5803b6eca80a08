import type { Step } from './step.js';

export const netlinkSteps: readonly Step[] = [];
