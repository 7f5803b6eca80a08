import type { Step } from './step.js';

export const tipcSteps: readonly Step[] = [];
