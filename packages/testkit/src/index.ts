export * from './children.js';
export * from './conformance/index.js';
export * from './descriptors.js';
export * from './fixtures.js';
export * from './probe.js';
export * from './readme.js';
export * from './time.js';
export { stripTypes } from './typescript.js';
export { takeWarnings } from './warnings.js';
