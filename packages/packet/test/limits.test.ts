import { scenarios } from './scenarios/limits.js';
import { defineScenarios } from './support/namespace.js';

describe('packet sockets: limits', () => defineScenarios('limits', scenarios));
