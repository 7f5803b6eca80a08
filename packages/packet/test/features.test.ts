import { scenarios } from './scenarios/features.js';
import { defineScenarios } from './support/namespace.js';

describe('packet sockets: options at work', () => defineScenarios('features', scenarios));
