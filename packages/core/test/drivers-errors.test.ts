import { constants } from 'node:os';
import { SocketError } from '@sock/core';
import { failure, invoke, methodName } from '@sock/testkit';
import { expect } from 'chai';
import { errnoName } from '#core/errno.js';
import { pair } from './support/families.js';
import { Cleanup, OPERATIONS } from './support/operations.js';
import { Script } from './support/script.js';

const { errno: ERRNO } = constants;
const RETRIED: readonly number[] = [ERRNO.EINTR, ERRNO.EAGAIN];
// two numbers have two names each: the one that sockets' manuals use is meant
const SECOND_NAMES = ['EWOULDBLOCK', 'ENOTSUP'];

describe('drivers: errors of system calls', () => {
  const stack = new Cleanup();
  afterEach(() => stack[Symbol.dispose]());

  for (const form of ['promise', 'sync', 'try'] as const) {
    it(`every errno becomes a SocketError, in the form ${methodName(form, 'recv')}`, async () => {
      for (const [code, errno] of Object.entries(ERRNO)) {
        if (RETRIED.includes(errno) || SECOND_NAMES.includes(code)) continue;
        const [a, b] = pair();
        stack.use(a);
        stack.use(b);
        const script = new Script(a, { recv: [-errno] });
        const error = await failure(form, a, 'recv', 10);
        expect(error, code).to.be.instanceOf(SocketError);
        expect(error).to.include({ code, errno: -errno, syscall: 'recv', name: 'SocketError' });
        expect(error.message).to.match(new RegExp(`^recv ${code}(: .*)?$`));
        expect(script.count('recv'), `${code} is not tried again`).to.equal(1);
        expect(script.count('pollOne'), `${code} is not waited for`).to.equal(0);
        stack[Symbol.dispose]();
      }
    });
  }

  for (const { operation, syscall, call, forms, prepare } of OPERATIONS) {
    for (const form of forms) {
      it(`${methodName(form, operation)} reports the failure of ${call}, before and after a wait`, async () => {
        for (const waits of form === 'try' ? [0] : [0, 1]) {
          const { socket, args } = prepare(stack);
          const steps = [...Array<number>(waits).fill(-ERRNO.EAGAIN), -ERRNO.ENOBUFS];
          const script = new Script(socket, { [call]: steps });
          const error = await failure(form, socket, operation, ...args);
          expect(error).to.be.instanceOf(SocketError);
          expect(error).to.include({ code: 'ENOBUFS', errno: -ERRNO.ENOBUFS, syscall });
          expect(script.count(call)).to.equal(steps.length);
        }
      });
    }
  }

  it('names what libc has no POSIX name for', () => {
    expect(errnoName(94)).to.equal('ESOCKTNOSUPPORT');
    expect(errnoName(108)).to.equal('ESHUTDOWN');
    expect(errnoName(112)).to.equal('EHOSTDOWN');
    expect(errnoName(ERRNO.EAGAIN)).to.equal('EAGAIN');
    expect(errnoName(ERRNO.EOPNOTSUPP)).to.equal('EOPNOTSUPP');
    expect(errnoName(4000)).to.equal('E4000');
  });

  it('carries the address that the call named', async () => {
    const found = OPERATIONS.find(({ operation }) => operation === 'sendTo');
    for (const form of ['promise', 'sync', 'try'] as const) {
      const { socket, args } = found?.prepare(stack) ?? expect.fail();
      new Script(socket, { sendto: [-ERRNO.ECONNREFUSED] });
      const error = await failure(form, socket, 'sendTo', ...args);
      expect(error.address).to.equal(args[1]);
      expect(error.message).to.equal(`sendto ECONNREFUSED ${String(args[1]).replace('\0', '@')}`);
    }
  });

  it('the error of an operation leaves the next operation alone', async () => {
    const [a, b] = pair();
    stack.use(a);
    stack.use(b).sendSync('x');
    new Script(a, { recv: [-ERRNO.ENOMEM] });
    expect((await failure('promise', a, 'recv', 10)).code).to.equal('ENOMEM');
    expect(String(await invoke('promise', a, 'recv', 10))).to.equal('x');
  });
});
