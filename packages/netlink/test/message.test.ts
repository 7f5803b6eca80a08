import { writeI32, writeU16, writeU32 } from '@sock/core';
import {
  attribute,
  NetlinkError,
  type NetlinkMessage,
  NL_ATTR_TYPE_U32,
  NL_POLICY_TYPE_ATTR_MAX_VALUE_U,
  NL_POLICY_TYPE_ATTR_MIN_VALUE_U,
  NL_POLICY_TYPE_ATTR_TYPE,
  NLM_F_ACK_TLVS,
  NLM_F_CAPPED,
  NLM_F_MULTI,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSGERR_ATTR_COOKIE,
  NLMSGERR_ATTR_MISS_NEST,
  NLMSGERR_ATTR_MISS_TYPE,
  NLMSGERR_ATTR_MSG,
  NLMSGERR_ATTR_OFFS,
  NLMSGERR_ATTR_POLICY,
  packAttributes,
  packMessage,
  unpackAcknowledgement,
  unpackGeneric,
  unpackGenericFamily,
  unpackInetSocket,
  unpackInterfaceAddress,
  unpackLink,
  unpackMessages,
  unpackNeighbour,
  unpackRoute,
  unpackRule,
  unpackUevent,
  unpackUnixSocket,
} from '@sock/netlink';
import { runs, thrown } from '@sock/testkit';
import { expect } from 'chai';
import fc from 'fast-check';

const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const message = fc.record({
  type: u16,
  flags: u16,
  sequence: u32,
  pid: u32,
  payload: fc.uint8Array({ maxLength: 60 }),
});

function plain({ payload, ...rest }: Pick<NetlinkMessage, 'payload'> | { payload: Uint8Array }) {
  return { ...rest, payload: [...payload] };
}

describe('netlink messages', () => {
  it('are a struct nlmsghdr, the payload, and padding', () => {
    const bytes = packMessage({ type: 0x1234, flags: 0x301, sequence: 7, pid: 9, payload: Uint8Array.of(1, 2, 3) });
    const expected = Buffer.alloc(20);
    writeU32(expected, 19, 0);
    writeU16(expected, 0x1234, 4);
    writeU16(expected, 0x301, 6);
    writeU32(expected, 7, 8);
    writeU32(expected, 9, 12);
    expected.set([1, 2, 3], 16);
    expect(bytes.equals(expected)).to.equal(true);
    expect(packMessage({ type: 1 }).length).to.equal(16);
  });

  it('attributes follow the payload, aligned', () => {
    const attributes = [attribute.u8(3, 9)];
    const bytes = packMessage({ type: 1, payload: 'abc', attributes });
    expect(bytes.subarray(16, 20).toString()).to.equal('abc\0');
    expect(bytes.subarray(20).equals(packAttributes(attributes))).to.equal(true);
    expect(unpackMessages(bytes).messages[0]?.payload.length).to.equal(4 + 8);
  });

  it('give back what was put in, several one behind the other', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 6 }), (written) => {
        const { messages, rest } = unpackMessages(Buffer.concat(written.map(packMessage)));
        expect(rest.length).to.equal(0);
        expect(messages.map(plain)).to.deep.equal(written.map(plain));
      }),
      { numRuns: runs() },
    );
  });

  it('come back whole up to where they were cut off, and the rest is given', () => {
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 5 }), fc.nat(), (written, cut) => {
        const bytes = Buffer.concat(written.map(packMessage));
        const part = bytes.subarray(0, cut % bytes.length);
        const { messages, rest } = unpackMessages(part);
        expect(messages.map(plain)).to.deep.equal(written.slice(0, messages.length).map(plain));
        const used = Buffer.concat(written.slice(0, messages.length).map(packMessage)).length;
        expect(rest.length).to.equal(Math.max(0, part.length - used));
      }),
      { numRuns: runs() },
    );
  });

  it('a length that cannot be ends them', () => {
    const good = packMessage({ type: 1 });
    for (const length of [0, 15, 17, 0x7fffffff, 0xffffffff]) {
      const bad = Buffer.alloc(16);
      writeU32(bad, length, 0);
      const { messages, rest } = unpackMessages(Buffer.concat([good, bad, good]));
      // 17 bytes are there, with the padding and the start of the next
      expect(messages.length, `length ${length}`).to.equal(length === 17 ? 2 : 1);
      expect(rest.length).to.be.greaterThan(0);
    }
  });

  it('no bytes make any of the readers throw', () => {
    const types = fc.oneof(u16, fc.constantFrom(2, 3, 16, 17, 20, 21, 24, 25, 28, 29, 32, 33, 88));
    const headers = fc.constantFrom<number[]>([], [0], [1], [2], [10], [7]);
    fc.assert(
      fc.property(types, u16, headers, fc.uint8Array({ maxLength: 150 }), (type, flags, start, bytes) => {
        const payload = Buffer.from([...start, ...bytes]);
        const one: NetlinkMessage = { type, flags, sequence: 0, pid: 0, payload };
        unpackMessages(bytes);
        unpackAcknowledgement(one);
        unpackLink(one);
        unpackInterfaceAddress(one);
        unpackRoute(one);
        unpackNeighbour(one);
        unpackRule(one);
        unpackGeneric(one);
        unpackGeneric(one, 12);
        unpackGenericFamily(one);
        unpackInetSocket(one, 6);
        unpackUnixSocket(one);
        unpackUevent(bytes);
      }),
      { numRuns: runs(3000) },
    );
  });

  it('attributes of any content after a right header make none of the readers throw', () => {
    const attributes = fc.array(
      fc.record({ type: fc.integer({ min: 0, max: 70 }), data: fc.uint8Array({ maxLength: 80 }) }),
    );
    const cases = [
      [16, 16, 0],
      [20, 8, 2],
      [20, 8, 10],
      [24, 12, 2],
      [24, 12, 10],
      [28, 12, 2],
      [32, 12, 10],
      [20, 72, 2],
      [20, 72, 10],
      [20, 16, 1],
    ] as const;
    fc.assert(
      fc.property(fc.constantFrom(...cases), attributes, ([type, size, family], list) => {
        const header = Buffer.alloc(size);
        header[0] = family;
        const payload = Buffer.concat([header, packAttributes(list)]);
        const one: NetlinkMessage = { type, flags: 0, sequence: 0, pid: 0, payload };
        const read = [
          unpackLink(one),
          unpackInterfaceAddress(one),
          unpackRoute(one),
          unpackNeighbour(one),
          unpackRule(one),
          unpackInetSocket(one, 6),
          unpackUnixSocket(one),
        ];
        for (const value of read) expect(Object.values(value ?? {})).to.not.include(undefined);
      }),
      { numRuns: runs(1000) },
    );
  });

  it('bad input is told by the member', () => {
    const cases: [unknown, string][] = [
      [undefined, 'message'],
      [[], 'message'],
      [{}, 'message.type'],
      [{ type: 0x10000 }, 'message.type'],
      [{ type: 1, flags: -1 }, 'message.flags'],
      [{ type: 1, sequence: 2 ** 32 }, 'message.sequence'],
      [{ type: 1, pid: '1' }, 'message.pid'],
      [{ type: 1, payload: 5 }, 'message.payload'],
      [{ type: 1, attributes: [{}] }, 'message.attributes[0].type'],
    ];
    for (const [input, argument] of cases) {
      expect(
        thrown(() => packMessage(input as never)),
        argument,
      ).to.include({ argument });
    }
  });
});

/** An acknowledgement as the kernel makes it. */
function acknowledgement(
  errno: number,
  options: { request?: Buffer; attributes?: Buffer; type?: number } = {},
): NetlinkMessage {
  const { request, attributes, type = NLMSG_ERROR } = options;
  const head = Buffer.alloc(type === NLMSG_DONE ? 4 : 20);
  writeI32(head, errno, 0);
  if (type === NLMSG_ERROR) writeU32(head, request?.length ?? 16, 4);
  const flags = (request === undefined ? NLM_F_CAPPED : 0) | (attributes === undefined ? 0 : NLM_F_ACK_TLVS);
  const payload = Buffer.concat([head, request?.subarray(16) ?? Buffer.alloc(0), attributes ?? Buffer.alloc(0)]);
  return { type, flags: type === NLMSG_DONE ? flags | NLM_F_MULTI : flags, sequence: 1, pid: 1, payload };
}

const extended = packAttributes([
  attribute.text(NLMSGERR_ATTR_MSG, 'That is wrong.'),
  attribute.u32(NLMSGERR_ATTR_OFFS, 20),
  attribute.u32(NLMSGERR_ATTR_MISS_TYPE, 5),
  attribute.u32(NLMSGERR_ATTR_MISS_NEST, 28),
  attribute.bytes(NLMSGERR_ATTR_COOKIE, 'cookie'),
  attribute.nested(NLMSGERR_ATTR_POLICY, [
    attribute.u32(NL_POLICY_TYPE_ATTR_TYPE, NL_ATTR_TYPE_U32),
    attribute.u64(NL_POLICY_TYPE_ATTR_MIN_VALUE_U, 1),
    attribute.u64(NL_POLICY_TYPE_ATTR_MAX_VALUE_U, 9),
  ]),
]);

const told = {
  text: 'That is wrong.',
  offset: 20,
  missingType: 5,
  missingNest: 28,
  cookie: Buffer.from('cookie'),
  policy: { type: NL_ATTR_TYPE_U32, minimum: 1n, maximum: 9n },
};

describe('netlink acknowledgements', () => {
  const nothing = {
    text: undefined,
    offset: undefined,
    missingType: undefined,
    missingNest: undefined,
    policy: undefined,
    cookie: undefined,
  };

  it('without more are an errno', () => {
    for (const errno of [0, -1, -22]) {
      expect(unpackAcknowledgement(acknowledgement(errno))).to.deep.equal({ ...nothing, errno });
      expect(unpackAcknowledgement(acknowledgement(errno, { type: NLMSG_DONE }))).to.deep.equal({ ...nothing, errno });
    }
  });

  it('say what is wrong, with or without the request repeated, and at the end of a list', () => {
    const request = packMessage({ type: 16, payload: Buffer.alloc(21) });
    for (const options of [{}, { request }, { type: NLMSG_DONE }]) {
      const read = unpackAcknowledgement(acknowledgement(-22, { ...options, attributes: extended }));
      expect(read).to.deep.equal({ errno: -22, ...told });
    }
  });

  it('may end a list with a count, and with nothing at all', () => {
    expect(unpackAcknowledgement(acknowledgement(7, { type: NLMSG_DONE }))?.errno).to.equal(0);
    expect(
      unpackAcknowledgement({ type: NLMSG_DONE, flags: 0, sequence: 0, pid: 0, payload: Buffer.alloc(0) })?.errno,
    ).to.equal(0);
  });

  it('that are too short are none', () => {
    for (const length of [0, 3]) {
      const short = { type: NLMSG_ERROR, flags: 0, sequence: 0, pid: 0, payload: Buffer.alloc(length) };
      expect(unpackAcknowledgement(short)).to.equal(undefined);
    }
  });

  it('cut off at every length they tell what is left', () => {
    const whole = acknowledgement(-22, { attributes: extended });
    for (let length = 4; length < whole.payload.length; length++) {
      const read = unpackAcknowledgement({ ...whole, payload: whole.payload.subarray(0, length) });
      expect(read?.errno).to.equal(-22);
    }
  });

  it('become errors that name the attribute', () => {
    const bytes = packMessage({
      type: 16,
      payload: Buffer.alloc(4),
      attributes: [attribute.u32(13, 1), attribute.flag(14)],
    });
    const error = new NetlinkError({ bytes, label: 'RTM_NEWLINK', about: 'eth7' }, { errno: -22, ...told });
    expect(error).to.include({ name: 'NetlinkError', code: 'EINVAL', errno: -22, syscall: 'RTM_NEWLINK', type: 16 });
    expect(error).to.include({ text: 'That is wrong.', offset: 20, attribute: 13, missingType: 5, missingNest: 28 });
    expect(error.policy).to.deep.equal(told.policy);
    expect(error.message).to.equal(
      'RTM_NEWLINK EINVAL eth7: That is wrong; attribute 13 of the request is not accepted; attribute 5 is missing',
    );
  });

  it('whose offset is outside the request name no attribute', () => {
    const bytes = packMessage({ type: 16 });
    for (const offset of [0, 12, 13, 100, 0xffffffff]) {
      const error = new NetlinkError({ bytes, label: 'x' }, { ...told, errno: -22, offset });
      expect(error).to.not.have.property('attribute');
    }
  });

  it('with an errno that nobody knows have its number', () => {
    const error = new NetlinkError({ bytes: packMessage({ type: 16 }), label: 'x' }, { ...nothing, errno: -3000 });
    expect(error).to.include({ code: 'E3000', message: 'x E3000' });
    expect(error).to.not.have.property('text');
  });
});
