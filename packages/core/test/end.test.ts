import {
  type AddressFamily,
  AF_INET,
  AF_INET6,
  AF_UNIX,
  MessageBatch,
  MSG_ERRQUEUE,
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  Socket,
  type SocketOption,
  setting,
  setUp,
  socketError,
  soKeepAlive,
  soPriority,
  soTxTime,
  UnknownAddress,
  untilClosed,
} from '@sock/core';
import { FORMS, failure, type Operation, rejection, thrown, within } from '@sock/testkit';
import { expect } from 'chai';
import { POLLHUP } from '#core/descriptor.js';
import { endingCalls, wholeCalls } from '#core/end.js';
import type { BatchArguments } from '#core/native.js';
import { type HostPort, inet, pair, unix } from './support/families.js';
import { Cleanup } from './support/operations.js';
import { type Call, descriptorOf, native, Script, type Step } from './support/script.js';

const EAGAIN = -11;

describe('a kernel that tells the end of a connection once', () => {
  const stack = new Cleanup();
  afterEach(() => stack[Symbol.dispose]());

  /** A socket that has nothing to receive, and what its kernel says then. */
  function ended(
    steps: Partial<Record<'recv' | 'recvfrom' | 'recvmsg' | 'recvmmsg' | 'pollOne', Step[]>>,
    early?: boolean,
  ) {
    const [a, b] = pair(SOCK_SEQPACKET) as unknown as [Socket<never>, Socket<never>];
    stack.use(a);
    stack.use(b);
    const script = new Script(a, steps);
    descriptorOf(a).calls = endingCalls(descriptorOf(a).calls, early);
    return { a, b, script };
  }

  it('gives it again where nothing can come any more', async () => {
    const { a } = ended({ pollOne: Array<Step>(6).fill(POLLHUP) });
    expect(a.tryRecv(8)?.length).to.equal(0);
    expect((await a.recv(8)).length).to.equal(0);
    expect(a.recvSync(8).length).to.equal(0);
    expect(await a.recvFrom(8)).to.deep.equal({ data: Buffer.alloc(0), address: null });
    const { data, flags, address, ancillary } = await a.recvMsg(8, 64);
    expect([data.length, flags, address, ancillary.length]).to.deep.equal([0, 0, null, 0]);
    expect(await a.recvBatch(new MessageBatch({ count: 2, size: 8 }))).to.equal(0);
  });

  it('waits where something can', async () => {
    const { a, b, script } = ended({ pollOne: [0, 0] });
    expect(a.tryRecv(8)).to.equal(null);
    const received = a.recv(8);
    await b.send('later');
    expect((await within('what came', received)).toString()).to.equal('later');
    expect(script.count('pollOne')).to.be.greaterThan(0);
  });

  it('loses nothing that came in between', () => {
    const { a, b, script } = ended({ recv: [EAGAIN], pollOne: [POLLHUP] });
    b.sendSync('just in time');
    expect(a.tryRecv(20)?.toString()).to.equal('just in time');
    expect(script.count('recv')).to.equal(2);
  });

  it('that tells it too early has what came before it', () => {
    const { a, b } = ended({ recv: [0], pollOne: [POLLHUP] }, true);
    b.sendSync('last words');
    expect(a.tryRecv(20)?.toString()).to.equal('last words');
    const { a: empty } = ended({ recv: [0, 0], pollOne: [POLLHUP] }, true);
    expect(empty.tryRecv(20)?.length).to.equal(0);
    // a message of no bytes, as it is not the end
    const { a: open, script } = ended({ recv: [0], pollOne: [0] }, true);
    expect(open.tryRecv(20)?.length).to.equal(0);
    expect(script.count('recv')).to.equal(1);
  });

  it('has an error queue all the same', () => {
    const { a, script } = ended({ pollOne: [POLLHUP] });
    expect(a.tryRecv(8, { flags: MSG_ERRQUEUE })).to.equal(null);
    expect(script.count('pollOne')).to.equal(0);
  });

  it('is what a family says', () => {
    const plain = new Socket(inet, SOCK_DGRAM);
    const once = new Socket({ ...inet, endsOnce: true }, SOCK_DGRAM);
    expect(descriptorOf(stack.use(plain)).calls).not.to.equal(descriptorOf(stack.use(once)).calls);
    expect(once.tryRecv(8)).to.equal(null);
  });

  it('where one direction cannot end alone, the end of a stream ends both', async () => {
    const asked: number[] = [];
    class BothOrNone extends Socket<unknown> {
      override shutdown(how: number): void {
        asked.push(how);
        if (how !== SHUT_RDWR) throw socketError('shutdown', 'EINVAL');
        super.shutdown(how);
      }
    }
    const family: AddressFamily<unknown> = {
      name: 'unix',
      domain: AF_UNIX,
      encode: () => 2,
      decode: () => null,
      format: () => '',
    };
    const [a, b] = BothOrNone.pair(family);
    stack.use(a);
    stack.use(b);
    const stream = a.duplex();
    stream.end('last words');
    expect((await b.recv(20)).toString()).to.equal('last words');
    expect((await b.recv(20)).length).to.equal(0);
    expect(asked).to.deep.equal([SHUT_WR, SHUT_RDWR]);
    stream.destroy();
    await b.readable.cancel();
    expect(asked).to.deep.equal([SHUT_WR, SHUT_RDWR, SHUT_RD]);
  });
});

describe('what few families need', () => {
  const stack = new Cleanup();
  afterEach(() => stack[Symbol.dispose]());

  it('addresses may be of other families', () => {
    const encode = (address: HostPort, into: Uint8Array) => inet.encode(address, into, undefined as never);
    const foreign: AddressFamily<HostPort> = { ...inet, encode, addressDomains: [AF_INET6] };
    const both: AddressFamily<HostPort> = { ...foreign, addressDomains: [AF_INET, AF_INET6] };
    const strict = stack.use(new Socket(foreign, SOCK_DGRAM));
    strict.bindSync({ host: '127.0.0.1', port: 0 });
    expect(strict.getsockname()).to.be.instanceOf(UnknownAddress);
    const wide = stack.use(new Socket(both, SOCK_DGRAM));
    wide.bindSync({ host: '127.0.0.1', port: 0 });
    expect(wide.getsockname()).to.include({ host: '127.0.0.1' });
  });

  it('a subclass iterates until it is closed, and closes what it cannot set up', async () => {
    const [a, b] = pair() as unknown as [Socket<never>, Socket<never>];
    stack.use(a);
    stack.use(b);
    const seen: string[] = [];
    await b.send('one');
    for await (const data of untilClosed(a, () => a.recv(8))) {
      seen.push(data.toString());
      setImmediate(() => a.close());
    }
    expect(seen).to.deep.equal(['one']);
    const steps: string[] = [];
    const failing = [() => steps.push('one'), () => b.setsockopt(-1, -1, 0), () => steps.push('never')];
    expect(thrown(() => setUp(b, ...failing)).code).to.be.a('string');
    expect([b.closed, steps]).to.deep.equal([true, ['one']]);
  });
});

describe('a setting', () => {
  const asking: SocketOption<number> = {
    level: 1,
    name: 1,
    label: 'ASKING',
    encode: (_value, socket) => socket.interfaceIndex('lo'),
  };

  it('is refused by the name that its caller has for it', () => {
    const rows: [set: () => unknown, argument: string, message: string][] = [
      [
        () => setting('options.keep', soKeepAlive, 1 as never),
        'options.keep',
        'options.keep must be a boolean, not type',
      ],
      [
        () => setting('options', soTxTime, { clock: 'value' } as never),
        'options.clock',
        'options.clock must be an integer from',
      ],
      [
        () => setting('options.values', soPriority, 'value' as never),
        'options.values',
        'options.values must be an integer',
      ],
    ];
    for (const [set, argument, message] of rows) {
      const error = thrown(set) as TypeError & { argument: string };
      expect(error.argument).to.equal(argument);
      expect(error.message.slice(0, message.length)).to.equal(message);
      expect(error.stack).to.contain(message);
    }
  });

  it('is set, unless it is undefined', () => {
    const [a, b] = pair() as unknown as [Socket<never>, Socket<never>];
    using _a = a;
    using _b = b;
    setting('options.priority', soPriority, 3)(a);
    setting('options.priority', soPriority, undefined)(b);
    expect([a.getOption(soPriority), b.getOption(soPriority)]).to.deep.equal([3, 0]);
  });

  it('cannot be of an option that asks its socket', () => {
    expect(thrown(() => setting('options.asking', asking, 1))).to.include({ code: 'EBADF' });
  });
});

describe('a kernel that sends a part of a message, and says that it sent nothing', () => {
  const stack = new Cleanup();
  afterEach(() => stack[Symbol.dispose]());

  function torn(steps: Partial<Record<Call, Step[]>>) {
    const [a, b] = pair(SOCK_SEQPACKET) as unknown as [Socket<never>, Socket<never>];
    stack.use(a);
    stack.use(b);
    const script = new Script(a, steps);
    descriptorOf(a).calls = wholeCalls(descriptorOf(a).calls);
    return { a, b, script };
  }

  it('is not given the message again: the connection ends', async () => {
    const sending: [call: Call, operation: Operation, data: unknown][] = [
      ['send', 'send', 'torn'],
      ['send', 'sendAll', 'torn'],
      ['sendmsg', 'sendMsg', ['torn']],
    ];
    for (const [call, operation, data] of sending) {
      for (const form of FORMS) {
        if (form === 'try' && operation === 'sendAll') continue;
        const { a, b, script } = torn({ [call]: [EAGAIN] });
        expect(await failure(form, a, operation, data)).to.include({ code: 'ENOBUFS', syscall: call });
        expect(script.count(call)).to.equal(1);
        expect((await b.recv(8)).length).to.equal(0);
        expect((await rejection(a.send('more'))).code).to.equal('EPIPE');
      }
    }
  });

  it('is asked whether there is any room first, and then waited for', async () => {
    const { a, b, script } = torn({ pollOne: [0, 0], send: [0, 0] });
    expect(a.trySend('no room')).to.equal(null);
    await within('send', a.send('room later'));
    expect(script.args('send').map(([, bytes]) => (bytes as Uint8Array).length)).to.deep.equal([0, 0, 10]);
    expect(b.recvSync(20).toString()).to.equal('room later');
  });

  it('where there will never be room, says so', async () => {
    const { a } = torn({ pollOne: [0] });
    a.shutdown(SHUT_WR);
    expect((await rejection(a.send('too late'))).code).to.equal('EPIPE');
  });

  it('sends the messages of a batch one by one', async () => {
    const { a, b, script } = torn({
      sendmmsg: [(...args) => native.sendmmsg(...(args as unknown as BatchArguments)), EAGAIN],
    });
    const batch = new MessageBatch<never>({ count: 3, size: 8 });
    for (const text of ['one', 'two', 'three']) batch.push(text);
    const error = await rejection(a.sendBatch(batch));
    expect(error).to.include({ code: 'ENOBUFS', transferred: 1 });
    expect(script.count('sendmmsg')).to.equal(2);
    expect([b.recvSync(8).toString(), b.recvSync(8).length]).to.deep.equal(['one', 0]);
  });

  it('is what a family says of SOCK_SEQPACKET', () => {
    const calls = (tearsMessages: boolean, type: number) => {
      const family: AddressFamily<never> = { ...unix, tearsMessages } as unknown as AddressFamily<never>;
      return descriptorOf(stack.use(new Socket(family, type))).calls;
    };
    const plain = calls(false, SOCK_SEQPACKET);
    expect(calls(true, SOCK_DGRAM)).to.equal(plain);
    expect(calls(true, SOCK_SEQPACKET)).not.to.equal(plain);
  });
});
