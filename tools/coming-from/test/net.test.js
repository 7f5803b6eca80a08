import { expect } from 'chai';
import { coverage, membersOfNode, readMapping } from '../src/net.js';
import { missing } from '../src/packages.js';

const mapping = readMapping();
const members = membersOfNode();
const line = Number(process.versions.node.split('.')[0]);

describe('the members of node:net and node:dgram', () => {
  it('are each in the mapping', () => {
    expect(coverage(mapping, members, line)).to.deep.equal([]);
  });

  it('a member that is nowhere is found, and an entry that is no member', () => {
    const without = { ...mapping, 'net.Server': {} };
    expect(coverage(without, members, line)).to.include('net.Server.listen is mapped nowhere');
    const more = { ...mapping, dgram: { ...mapping.dgram, gone: { here: 'nothing' } } };
    expect(coverage(more, members, line)).to.deep.equal(['dgram.gone is mapped, but Node has none']);
    const later = { ...mapping, dgram: { ...mapping.dgram, coming: { here: 'nothing', since: '99' } } };
    expect(coverage(later, members, line)).to.deep.equal([]);
  });

  it('what takes their place exists', async () => {
    const uses = Object.values(mapping).flatMap((entries) => Object.values(entries).flatMap(({ uses = [] }) => uses));
    expect(uses.length).to.be.greaterThan(50);
    expect(await missing(uses)).to.deep.equal([]);
  });
});
