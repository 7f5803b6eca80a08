import { AF_VSOCK, SOCK_STREAM, type SocketInfo, writeU16 } from '@sock/core';
import { thrown } from '@sock/testkit';
import {
  SOL_VSOCK,
  VM_SOCKETS_INVALID_VERSION,
  VMADDR_CID_ANY,
  VMADDR_CID_HOST,
  VMADDR_CID_HYPERVISOR,
  VMADDR_CID_LOCAL,
  VMADDR_FLAG_TO_HOST,
  VMADDR_PORT_ANY,
  VSOCK_RECVERR,
  type VsockInput,
  vsock,
} from '@sock/vsock';
import { expect } from 'chai';
import fc from 'fast-check';

const info: SocketInfo = {
  domain: AF_VSOCK,
  type: SOCK_STREAM,
  protocol: 0,
  interfaceIndex: () => 0,
  interfaceName: () => undefined,
};

function encode(input: VsockInput): Buffer {
  const into = Buffer.alloc(128);
  writeU16(into, AF_VSOCK, 0);
  return into.subarray(0, vsock.encode(input, into, info));
}

const word = fc.nat(0xffffffff);

describe('vsock addresses', () => {
  it('are themselves after a round trip', () => {
    fc.assert(
      fc.property(word, word, fc.integer({ min: 1, max: 255 }), (cid, port, flags) => {
        expect(vsock.decode(encode({ cid, port }), info)).to.deep.equal({ cid, port });
        expect(vsock.decode(encode({ cid, port, flags }), info)).to.deep.equal({ cid, port, flags });
      }),
    );
  });

  it('are the structure that C has', () => {
    expect(encode({ cid: 3, port: 0x01020304, flags: VMADDR_FLAG_TO_HOST }).subarray(2)).to.deep.equal(
      Buffer.of(0, 0, 4, 3, 2, 1, 3, 0, 0, 0, 1, 0, 0, 0),
    );
    expect([VMADDR_CID_ANY, VMADDR_PORT_ANY, VM_SOCKETS_INVALID_VERSION]).to.deep.equal(Array(3).fill(0xffffffff));
    expect([VMADDR_CID_HYPERVISOR, VMADDR_CID_LOCAL, VMADDR_CID_HOST]).to.deep.equal([0, 1, 2]);
    expect([SOL_VSOCK, VSOCK_RECVERR]).to.deep.equal([287, 1]);
  });

  it('never crash on what the kernel might give, whole or cut off', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 128 }), (bytes) => {
        if (bytes.length < 16) expect(thrown(() => vsock.decode(bytes, info))).to.be.instanceOf(RangeError);
        else expect(vsock.format(vsock.decode(bytes, info))).to.be.a('string');
      }),
    );
  });

  it('refuse what no address is, naming the member', () => {
    const table: [unknown, string, typeof TypeError | typeof RangeError][] = [
      [undefined, 'address', TypeError],
      ['2:80', 'address', TypeError],
      [{ host: '127.0.0.1', port: 80 }, 'address', RangeError],
      [{ cid: 1 }, 'address.port', TypeError],
      [{ cid: '1', port: 80 }, 'address.cid', TypeError],
      [{ cid: -1, port: 80 }, 'address.cid', RangeError],
      [{ cid: 2 ** 32, port: 80 }, 'address.cid', RangeError],
      [{ cid: 1, port: 0.5 }, 'address.port', RangeError],
      [{ cid: 1, port: 80, flags: 256 }, 'address.flags', RangeError],
    ];
    for (const [input, argument, kind] of table) {
      const error = thrown(() => encode(input as VsockInput));
      expect(error, argument).to.be.instanceOf(kind);
      expect(error).to.include({ argument });
    }
  });

  it('are formatted for people', () => {
    expect(vsock.format({ cid: VMADDR_CID_HOST, port: 1024 })).to.equal('host:1024');
    expect(vsock.format({ cid: VMADDR_CID_ANY, port: VMADDR_PORT_ANY })).to.equal('any:any');
    expect(vsock.format({ cid: 42, port: 5 })).to.equal('42:5');
  });

  it('errors name the module, or the remedy', () => {
    const explain = (syscall: string, code: string) =>
      vsock.explain?.({ syscall, code, type: SOCK_STREAM, protocol: 0 });
    expect(explain('socket', 'EAFNOSUPPORT')).to.include('modprobe vsock_loopback');
    expect(explain('connect', 'ENODEV')).to.include('vhost_vsock');
    expect(explain('connect', 'ECONNRESET')).to.include('nobody listens');
    expect(explain('sendmsg', 'ENOBUFS')).to.include('use SOCK_STREAM');
    expect(explain('recv', 'EIO')).to.equal(undefined);
  });
});
