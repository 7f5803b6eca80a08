import { scenarios } from './scenarios/rings.js';
import { defineScenarios } from './support/namespace.js';

describe('packet rings', () => defineScenarios('rings', scenarios));
