import type { Step } from './step.js';

export const vsockSteps: readonly Step[] = [];
