import { constants } from 'node:os';
import { MSG_DONTWAIT, SocketError } from '@sock/core';
import { failure, invoke, methodName, within } from '@sock/testkit';
import { expect } from 'chai';
import { pair } from './support/families.js';
import { type Case, Cleanup, OPERATIONS } from './support/operations.js';
import { Script } from './support/script.js';

const { EINTR, EAGAIN } = constants.errno;

describe('drivers: a call that was interrupted or would block', () => {
  const stack = new Cleanup();
  afterEach(() => stack[Symbol.dispose]());

  for (const { operation, syscall, call, forms, prepare } of OPERATIONS) {
    for (const form of forms) {
      const name = methodName(form, operation);

      it(`${name} makes an interrupted ${call} again`, async () => {
        const { socket, args, good } = prepare(stack);
        const script = new Script(socket, { [call]: [-EINTR, -EINTR, -EINTR] });
        const result = await within(name, Promise.resolve(invoke(form, socket, operation, ...args)));
        expect(good(result), `the result ${String(result)}`).to.equal(true);
        expect(script.results(call).slice(0, 3)).to.deep.equal([-EINTR, -EINTR, -EINTR]);
      });

      if (form === 'try') {
        it(`${name} gives null where ${call} would block`, () => {
          const { socket, args, good } = prepare(stack);
          const script = new Script(socket, { [call]: [-EAGAIN] });
          expect(invoke(form, socket, operation, ...args)).to.equal(null);
          expect(script.count(call)).to.equal(1);
          expect(good(invoke(form, socket, operation, ...args))).to.equal(true);
        });
        continue;
      }

      it(`${name} waits where ${call} would block, and tries again`, async () => {
        const { socket, args, good } = prepare(stack);
        const script = new Script(socket, { [call]: [-EAGAIN, -EAGAIN, -EINTR, -EAGAIN] });
        const result = await within(name, Promise.resolve(invoke(form, socket, operation, ...args)));
        expect(good(result), `the result ${String(result)}`).to.equal(true);
        expect(script.results(call).slice(0, 4)).to.deep.equal([-EAGAIN, -EAGAIN, -EINTR, -EAGAIN]);
        if (form === 'sync') expect(script.count('pollOne')).to.be.at.least(1);
      });

      it(`${name} with timeout 0 fails with EAGAIN at once`, async () => {
        const { socket, args } = prepare(stack);
        const script = new Script(socket, { [call]: [-EAGAIN] });
        socket.timeout = 0;
        const error = await failure(form, socket, operation, ...args);
        expect(error).to.be.instanceOf(SocketError);
        expect(error).to.include({ code: 'EAGAIN', errno: -EAGAIN, syscall });
        expect(error.message).to.match(new RegExp(`^${syscall} EAGAIN.*: it would have to wait, which timeout 0`));
        expect(script.count('pollOne')).to.equal(0);
      });
    }
  }

  it('MSG_DONTWAIT fails with EAGAIN at once, whatever the timeout', async () => {
    for (const { operation, call, forms, prepare } of OPERATIONS) {
      if (operation === 'accept' || operation === 'sendFile') continue;
      for (const form of forms) {
        const { socket, args } = prepare(stack);
        new Script(socket, { [call]: [-EAGAIN] });
        if (operation === 'recvMsg' || operation === 'recvMsgInto') args.length = 2;
        const all = [...args, { flags: MSG_DONTWAIT, ...(form === 'try' ? {} : { timeout: 1000 }) }];
        if (form === 'try') expect(invoke(form, socket, operation, ...all)).to.equal(null);
        else expect((await failure(form, socket, operation, ...all)).code, operation).to.equal('EAGAIN');
      }
    }
  });

  const receiving = OPERATIONS.find(({ operation }) => operation === 'recv') as Case;

  it('a connection that is over and gives nothing is not asked without a pause', async () => {
    for (const form of ['promise', 'sync'] as const) {
      const [a, b] = pair();
      stack.use(a);
      b.close();
      const script = new Script(a, { recv: Array(1000).fill(-EAGAIN) });
      expect(await failure(form, a, 'recv', 8, { timeout: 200 })).to.include({ code: 'ETIMEDOUT' });
      // a loop that spins uses up the script long before, and is given the end
      expect(script.count('recv'), form).to.be.within(4, 100);
    }
  });

  it('an interrupted poll(2) is waited for again', () => {
    const { socket, args, good } = receiving.prepare(stack);
    const script = new Script(socket, { recv: [-EAGAIN, -EAGAIN, -EAGAIN], pollOne: [-EINTR, -EINTR] });
    expect(good(invoke('sync', socket, 'recv', ...args))).to.equal(true);
    expect(script.results('pollOne').slice(0, 2)).to.deep.equal([-EINTR, -EINTR]);
  });

  it('a poll(2) that fails is an error of the operation', () => {
    const { socket } = receiving.prepare(stack);
    new Script(socket, { recv: [-EAGAIN], pollOne: [-constants.errno.ENOMEM] });
    expect(() => invoke('sync', socket, 'recv', 10)).to.throw(SocketError, /^recv ENOMEM/);
  });
});
