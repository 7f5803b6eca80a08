import { expect } from 'chai';
import { CompilerError, valuesFromHeaders } from '../src/compiler.js';
import { parseDefinitions } from '../src/definitions.js';

const cc = ['cc'];

/**
 * @param {string[]} headers
 * @param {Record<string, unknown>} constants
 */
function groups(headers, constants) {
  return parseDefinitions(JSON.stringify({ groups: [{ title: 'Some', headers, constants }] }), 'file');
}

/** @param {Map<string, number>} values */
function object(values) {
  return Object.fromEntries(values);
}

describe('values from headers', () => {
  it('reads macros and enumerators', () => {
    const values = valuesFromHeaders(groups(['netinet/tcp.h'], { TCP_NODELAY: '', TCP_ESTABLISHED: '' }), cc);
    expect(object(values)).to.deep.equal({ TCP_NODELAY: 1, TCP_ESTABLISHED: 1 });
  });

  it('keeps sign and 32 bits', () => {
    const some = groups(['limits.h', 'netinet/in.h'], { INT_MIN: '', UINT_MAX: '', INADDR_LOOPBACK: '' });
    expect(object(valuesFromHeaders(some, cc))).to.deep.equal({
      INT_MIN: -(2 ** 31),
      UINT_MAX: 2 ** 32 - 1,
      INADDR_LOOPBACK: 0x7f000001,
    });
  });

  it('leaves out names that the headers lack', () => {
    const some = groups(['sys/socket.h'], { SO_NONE_SUCH: '', AF_INET: '', AF_NONE_SUCH: '' });
    expect(object(valuesFromHeaders(some, cc))).to.deep.equal({ AF_INET: 2 });
  });

  it('leaves out a header that the system lacks', () => {
    expect(object(valuesFromHeaders(groups(['none/such.h'], { AF_INET: '' }), cc))).to.deep.equal({});
  });

  it('evaluates an expression', () => {
    const some = groups(['sys/socket.h'], { SIZE: { expression: 'sizeof(struct sockaddr_storage)' } });
    expect(object(valuesFromHeaders(some, cc))).to.deep.equal({ 'sizeof(struct sockaddr_storage)': 128 });
  });

  it('does not look for strings', () => {
    expect(valuesFromHeaders(groups(['sys/socket.h'], { A: { value: 'a' } }), cc).size).to.equal(0);
  });

  it('reports a mistake in an expression, not an absent name', () => {
    const some = groups(['sys/socket.h'], { A: { expression: 'AF_INET + none_such' } });
    expect(() => valuesFromHeaders(some, cc)).to.throw(CompilerError, /cannot compile against <sys\/socket\.h>/);
  });

  it('reports a value that no number holds', () => {
    const some = groups(['limits.h'], { LLONG_MAX: '' });
    expect(() => valuesFromHeaders(some, cc)).to.throw(CompilerError, /LLONG_MAX does not fit a number/);
  });

  it('reports a compiler that is not there', () => {
    const some = groups(['limits.h'], { INT_MAX: '' });
    expect(() => valuesFromHeaders(some, ['none-such-cc'])).to.throw(CompilerError, /none-such-cc: .*ENOENT/);
  });
});
