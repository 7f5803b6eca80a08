import type { Step } from './step.js';

export const canSteps: readonly Step[] = [];
