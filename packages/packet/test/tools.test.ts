import { scenarios } from './scenarios/tools.js';
import { defineScenarios } from './support/namespace.js';

describe('packet sockets and other programs', () => defineScenarios('tools', scenarios));
