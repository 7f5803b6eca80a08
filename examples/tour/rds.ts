import type { Step } from './step.js';

export const rdsSteps: readonly Step[] = [];
