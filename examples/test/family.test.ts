import { SOCK_DGRAM, Socket, SocketError, UnknownAddress } from '@sock/core';
import { socketInfo } from '@sock/testkit';
import { expect } from 'chai';
import { phonet } from '#examples/family/phonet.js';

describe('the family of the documentation', () => {
  const info = socketInfo(35, { type: SOCK_DGRAM });

  it('encodes and decodes its addresses', () => {
    const bytes = new Uint8Array(128);
    const length = phonet.encode({ object: 1, device: 0x6c, resource: 0x10 }, bytes, info);
    expect(length).to.equal(16);
    expect(phonet.decode(bytes.subarray(0, length), info)).to.deep.equal({ object: 1, device: 0x6c, resource: 0x10 });
    expect(phonet.format({ object: 1, device: 0x6c, resource: 0x10 })).to.equal('6c:1:10');
  });

  it('refuses what is no address of it, naming the member', () => {
    expect(() => phonet.encode({ device: 256 }, new Uint8Array(128), info))
      .to.throw(RangeError, 'address.device must be an integer from 0 to 255, not 256')
      .with.property('argument', 'address.device');
  });

  it('opens a socket, or says what the kernel lacks', () => {
    try {
      using socket = new Socket(phonet, SOCK_DGRAM);
      expect(socket.domain).to.equal(35);
    } catch (error) {
      expect(error).to.be.instanceOf(SocketError);
      expect((error as SocketError).message).to.include('modprobe phonet');
    }
  });

  it('leaves what it cannot decode as bytes', () => {
    const unknown = new UnknownAddress(35, Uint8Array.of(1));
    expect(unknown.data).to.have.length(1);
  });
});
