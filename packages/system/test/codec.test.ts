import { Socket } from '@sock/core';
import { controlId, SYSPROTO_CONTROL, type SystemInput, system } from '@sock/system';
import { socketInfo, thrown } from '@sock/testkit';
import { expect } from 'chai';
import fc from 'fast-check';

const info = socketInfo(32, { type: 2, protocol: 2 });
const u32 = fc.integer({ min: 0, max: 0xffffffff });

describe('addresses of controls', () => {
  it('come back as they went', () => {
    fc.assert(
      fc.property(u32, u32, (id, unit) => {
        const bytes = new Uint8Array(128);
        expect(system.encode({ id, unit }, bytes, info)).to.equal(32);
        expect(system.decode(bytes.subarray(0, 32), info)).to.deep.equal({ id, unit });
      }),
    );
  });

  it('are laid out as struct sockaddr_ctl', () => {
    const bytes = new Uint8Array(128);
    system.encode({ id: 5 }, bytes, info);
    expect([...new Uint16Array(bytes.buffer, 2, 1)]).to.deep.equal([2]);
    expect([...new Uint32Array(bytes.buffer, 4, 7)]).to.deep.equal([5, 0, 0, 0, 0, 0, 0]);
    expect(system.format({ id: 5, unit: 1 })).to.equal('control 5, unit 1');
  });

  it('that are cut short are none, and no bytes do harm', () => {
    for (let length = 0; length < 12; length++) {
      expect(thrown(() => system.decode(new Uint8Array(length), info)).code).to.equal('ERR_OUT_OF_RANGE');
    }
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 12, maxLength: 128 }), (bytes) => {
        expect(system.decode(bytes, info)).to.have.keys('id', 'unit');
      }),
    );
  });

  it('name the member that is wrong', () => {
    const wrong: [unknown, string][] = [
      [null, 'address'],
      ['x', 'address'],
      [{}, 'address.id'],
      [{ host: '127.0.0.1', port: 80 }, 'address'],
      [{ id: -1 }, 'address.id'],
      [{ id: 1, unit: 2 ** 32 }, 'address.unit'],
    ];
    for (const [input, argument] of wrong) {
      expect(thrown(() => system.encode(input as SystemInput, new Uint8Array(128), info)).argument).to.equal(argument);
    }
  });

  it('say what to do', () => {
    const explain = (syscall: string, code: string) => system.explain?.({ syscall, code, type: 2, protocol: 2 });
    expect(explain('connect', 'ENOENT')).to.include('controlId');
    expect(explain('ioctl', 'ENOENT')).to.include('name');
    expect(explain('listen', 'EOPNOTSUPP')).to.equal(undefined);
  });

  it('are of macOS: other systems have no such family', () => {
    expect([system.domain, SYSPROTO_CONTROL]).to.deep.equal([undefined, undefined]);
    expect(thrown(() => new Socket(system)).argument).to.equal('family.domain');
    const long = 'x'.repeat(96);
    for (const name of [5, 'a\0', long]) {
      expect(thrown(() => controlId({} as Socket, name as string)).argument).to.equal('name');
    }
  });
});
