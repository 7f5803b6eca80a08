export { type SystemAddress, type SystemInput, system } from './address.js';
export * from './constants.gen.js';
export { controlId } from './control.js';
