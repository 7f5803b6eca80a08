import type { Step } from './step.js';

export const algSteps: readonly Step[] = [];
