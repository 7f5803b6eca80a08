import {
  CAN_EFF_MASK,
  isPdu1,
  type J1939Id,
  type J1939Name,
  packJ1939Id,
  packJ1939Name,
  unpackJ1939Id,
  unpackJ1939Name,
} from '@sock/can';
import { thrown } from '@sock/testkit';
import { expect } from 'chai';
import fc from 'fast-check';

const name64 = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });

describe('names and identifiers of J1939', () => {
  const fields: fc.Arbitrary<J1939Name> = fc.record({
    identityNumber: fc.nat(0x1fffff),
    manufacturerCode: fc.nat(0x7ff),
    ecuInstance: fc.nat(7),
    functionInstance: fc.nat(31),
    function: fc.nat(255),
    vehicleSystem: fc.nat(127),
    vehicleSystemInstance: fc.nat(15),
    industryGroup: fc.nat(7),
    arbitraryAddressCapable: fc.boolean(),
  });

  it('names are themselves after a round trip', () => {
    fc.assert(
      fc.property(fields, (one) => {
        expect(unpackJ1939Name(packJ1939Name(one))).to.deep.equal(one);
      }),
    );
    const reserved = 1n << 48n;
    fc.assert(
      fc.property(name64, (name) => {
        expect(packJ1939Name(unpackJ1939Name(name)) | reserved).to.equal(name | reserved);
      }),
    );
  });

  it('names have their fields where the standard has them', () => {
    expect(packJ1939Name({})).to.equal(0n);
    expect(packJ1939Name({ arbitraryAddressCapable: true })).to.equal(0x8000000000000000n);
    expect(packJ1939Name({ identityNumber: 0x1fffff })).to.equal(0x1fffffn);
    expect(packJ1939Name({ manufacturerCode: 0x7ff })).to.equal(0xffe00000n);
    expect(packJ1939Name({ function: 0xff, functionInstance: 1, ecuInstance: 2 })).to.equal(0xff0a00000000n);
    expect(packJ1939Name({ industryGroup: 7, vehicleSystemInstance: 1, vehicleSystem: 1 })).to.equal(
      0x7102000000000000n,
    );
    const table: [object, string][] = [
      [{ identityNumber: 0x200000 }, 'fields.identityNumber'],
      [{ function: '1' }, 'fields.function'],
      [{ arbitraryAddressCapable: 1 }, 'fields.arbitraryAddressCapable'],
    ];
    for (const [value, argument] of table) expect(thrown(() => packJ1939Name(value))).to.include({ argument });
    expect(thrown(() => unpackJ1939Name(-1n))).to.include({ argument: 'name' });
  });

  it('identifiers are themselves after a round trip', () => {
    fc.assert(
      fc.property(fc.nat(CAN_EFF_MASK), (id) => {
        const parts: J1939Id = unpackJ1939Id(id);
        expect(packJ1939Id(parts)).to.equal(id);
        expect(isPdu1(parts.pgn) || parts.destination === 255).to.equal(true);
      }),
    );
  });

  it('identifiers have their parts where the standard has them', () => {
    expect(unpackJ1939Id(0x18eafff9)).to.deep.equal({ priority: 6, pgn: 0xea00, destination: 255, source: 0xf9 });
    expect(unpackJ1939Id(0x0cf00400)).to.deep.equal({ priority: 3, pgn: 0xf004, destination: 255, source: 0 });
    expect(packJ1939Id({ pgn: 0xea00, destination: 0x21, source: 0x20 })).to.equal(0x18ea2120);
    expect(packJ1939Id({ priority: 7, pgn: 0x3ffff })).to.equal(0x1fffffff);
    expect([isPdu1(0xef00), isPdu1(0xf000), isPdu1(0x1ea00)]).to.deep.equal([true, false, true]);
    const table: [Partial<J1939Id> & { pgn: number }, string][] = [
      [{ pgn: 0xea01 }, 'parts.pgn'],
      [{ pgn: 0x40000 }, 'parts.pgn'],
      [{ pgn: 0xf004, destination: 1 }, 'parts.destination'],
      [{ pgn: 0xea00, source: 256 }, 'parts.source'],
      [{ pgn: 0xea00, priority: 8 }, 'parts.priority'],
    ];
    for (const [parts, argument] of table) expect(thrown(() => packJ1939Id(parts))).to.include({ argument });
    expect(thrown(() => unpackJ1939Id(2 ** 29))).to.include({ argument: 'id' });
  });
});
