import { expect } from 'chai';
import { DefinitionError, forPlatform, parseDefinitions } from '../src/definitions.js';

/** @param {unknown} constants */
function group(constants, more = {}) {
  return JSON.stringify({ groups: [{ title: 'Some', headers: ['sys/socket.h'], constants, ...more }] });
}

describe('constants.json', () => {
  it('takes a description alone, or an object', () => {
    const [parsed] = parseDefinitions(
      group({ AF_INET: 'IPv4.', SO_NEW: { value: 76, since: 'Linux 6.5', text: 'New.' }, PF_INET: '' }),
      'file',
    );
    expect(parsed?.constants).to.deep.equal([
      { name: 'AF_INET', expression: 'AF_INET', platforms: ['linux'], text: 'IPv4.' },
      {
        name: 'SO_NEW',
        expression: 'SO_NEW',
        platforms: ['linux'],
        since: 'Linux 6.5',
        text: 'New.',
        value: { linux: 76 },
      },
      { name: 'PF_INET', expression: 'PF_INET', platforms: ['linux'] },
    ]);
  });

  for (const [what, text, message] of [
    ['what is no JSON', '{', /JSON/],
    ['a missing list of groups', '{}', /"groups" must be an array/],
    ['an unknown key', group({ A: { vlaue: 1 } }), /groups\[0\]: A: unknown key "vlaue"/],
    ['what is no identifier', group({ 'A-B': '' }), /A-B: is no identifier/],
    ['a number for a description', group({ A: 1 }), /A: must be its description, or an object/],
    ['a fraction', group({ A: { value: 1.5 } }), /A: "value" must be an integer/],
    ['a text that is none', group({ A: { text: 1 } }), /A: "text" must be a string/],
    ['headers that are none', group({}, { headers: [1] }), /"headers": must be an array of strings/],
  ]) {
    it(`refuses ${what}`, () => {
      expect(() => parseDefinitions(String(text), 'file')).to.throw(DefinitionError, message);
    });
  }

  it('refuses a name in two groups', () => {
    const one = { title: 'One', constants: { A: '' } };
    const text = JSON.stringify({ groups: [one, { ...one, title: 'Two' }] });
    expect(() => parseDefinitions(text, 'file')).to.throw(DefinitionError, /groups\[1\]: A: is defined twice/);
  });

  it('prefers the more specific platform', () => {
    const values = { linux: 1, 'linux-ppc64': 2 };
    expect(forPlatform(values, 'linux-ppc64')).to.equal(2);
    expect(forPlatform(values, 'linux-arm64')).to.equal(1);
    expect(forPlatform(values, 'darwin')).to.equal(undefined);
  });
});
