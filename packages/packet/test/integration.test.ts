import { scenarios } from './scenarios/integration.js';
import { defineScenarios } from './support/namespace.js';

describe('packet sockets', () => defineScenarios('integration', scenarios));
