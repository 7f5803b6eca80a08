#!/usr/bin/env node
// Runs every package's compiled tests in guests, with every address family required.
import { closeSync, existsSync, globSync, mkdirSync, openSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
