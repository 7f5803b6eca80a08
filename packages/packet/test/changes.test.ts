import { scenarios } from './scenarios/changes.js';
import { defineScenarios } from './support/namespace.js';

describe('packet sockets: interfaces that change', () => defineScenarios('changes', scenarios));
