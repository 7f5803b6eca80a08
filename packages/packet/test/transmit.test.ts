import { scenarios } from './scenarios/transmit.js';
import { defineScenarios } from './support/namespace.js';

describe('packet transmit rings', () => defineScenarios('transmit', scenarios));
