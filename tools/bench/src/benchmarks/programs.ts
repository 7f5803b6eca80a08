import type { Contender, Party, Program } from '../harness/types.js';

export function node(name: string, ...arguments_: string[]): Program {
  return { kind: 'node', name, arguments: arguments_ };
}

export function python(name: string, ...arguments_: string[]): Program {
  return { kind: 'python', name, arguments: arguments_ };
}

export function c(name: string, ...arguments_: string[]): Program {
  return { kind: 'c', name, arguments: arguments_ };
}

/** A program that runs in a network namespace of its own, at the receiving end of a link. */
export function linked(program: Program): Program {
  return { ...program, within: 'link' };
}

function by(party: Party): (name: string, program: Program) => Contender {
  return (name, program) => ({ name, party, program });
}

export const ours = by('ours');
export const peer = by('peer');
export const limit = by('c');
