import type { Step } from './step.js';

export const qrtrSteps: readonly Step[] = [];
