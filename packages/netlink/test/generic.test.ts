import {
  attribute,
  CTRL_ATTR_FAMILY_ID,
  CTRL_ATTR_FAMILY_NAME,
  CTRL_CMD_GETFAMILY,
  CTRL_CMD_GETPOLICY,
  CTRL_CMD_NEWFAMILY,
  GENL_CMD_CAP_DO,
  GENL_CMD_CAP_DUMP,
  GENL_ID_CTRL,
  type GenericFamily,
  genericRequest,
  getGenericFamily,
  getGenericFamilySync,
  getGenericPolicy,
  getGenericPolicySync,
  listGenericFamilies,
  listGenericFamiliesSync,
  NETLINK_GENERIC,
  NetlinkError,
  NetlinkSocket,
  NL_ATTR_TYPE_NUL_STRING,
  NL_ATTR_TYPE_U16,
  packMessage,
  unpackGeneric,
  unpackGenericFamily,
  unpackMessages,
} from '@sock/netlink';
import { capability, itIf, probe, rejection, startCommand, thrown } from '@sock/testkit';
import { expect } from 'chai';

const policies = capability({
  name: 'CTRL_CMD_GETPOLICY',
  remedy: 'use Linux 5.10 or newer',
  probe: () => getGenericPolicySync({ id: GENL_ID_CTRL }),
});

describe('generic netlink', () => {
  it('a family is found by its name', async () => {
    for (const family of [await getGenericFamily('nlctrl'), getGenericFamilySync('nlctrl')]) {
      expect(family).to.include({ id: GENL_ID_CTRL, name: 'nlctrl', version: 2, headerSize: 0 });
      expect(family.groups).to.deep.equal({ notify: GENL_ID_CTRL });
      const get = family.operations.find(({ id }) => id === CTRL_CMD_GETFAMILY);
      expect((get?.flags ?? 0) & (GENL_CMD_CAP_DO | GENL_CMD_CAP_DUMP)).to.equal(GENL_CMD_CAP_DO | GENL_CMD_CAP_DUMP);
    }
  });

  it('one that there is not is ENOENT, and the message says what to do', async () => {
    const error = await rejection(getGenericFamily('nonesuch'));
    expect(error).to.be.instanceOf(NetlinkError);
    expect(error).to.include({ code: 'ENOENT', syscall: 'CTRL_CMD_GETFAMILY' });
    expect(error.message)
      .to.contain('nonesuch: ')
      .and.contain('this kernel has no such family; load the module that has it');
    expect(thrown(() => getGenericFamilySync('nonesuch'))).to.include({ code: 'ENOENT' });
    for (const [name, argument] of [
      [5, 'name'],
      ['', 'name'],
      ['a-name-that-is-too-long', 'name'],
      ['a\0b', 'name'],
    ] as const) {
      expect(thrown(() => getGenericFamilySync(name as string))).to.include({ argument });
      expect(await rejection(getGenericFamily(name as string))).to.include({ argument });
    }
  });

  itIf(probe('command:genl'), 'the list is that of genl ctrl list', async () => {
    const child = startCommand('genl', ['ctrl', 'list'], { input: '' });
    const { stdout } = await child.succeeded();
    const theirs = [
      ...stdout.matchAll(
        /^Name: (.+)\n\s+ID: (0x[\da-f]+)\s+Version: (0x[\da-f]+)\s+header size: (\d+)\s+max attribs: (\d+)/gm,
      ),
    ];
    const expected = theirs.map(([, name, id, version, header, attributes]) => [
      name,
      Number(id),
      Number(version),
      Number(header),
      Number(attributes),
    ]);
    const facts = (families: GenericFamily[]) =>
      families.map(({ name, id, version, headerSize, maximumAttribute }) => [
        name,
        id,
        version,
        headerSize,
        maximumAttribute,
      ]);
    expect(expected.length).to.be.greaterThan(0);
    expect(facts(await listGenericFamilies())).to.deep.equal(expected);
    expect(facts(listGenericFamiliesSync())).to.deep.equal(expected);
    const groups = [...stdout.matchAll(/^\s+#\d+:\s+ID-(0x[\da-f]+)\s+name: (.+?)\s*$/gm)].map(
      ([, id, name]) => `${name} ${Number(id)}`,
    );
    const ours = listGenericFamiliesSync().flatMap((family) =>
      Object.entries(family.groups).map(([name, id]) => `${name} ${id}`),
    );
    expect(ours.sort()).to.deep.equal(groups.sort());
  });

  it('families are asked through a socket of their protocol', async () => {
    using socket = new NetlinkSocket({ protocol: NETLINK_GENERIC });
    const family = await getGenericFamily('nlctrl', { socket });
    const request = genericRequest(family, {
      command: CTRL_CMD_GETFAMILY,
      attributes: [attribute.text(CTRL_ATTR_FAMILY_NAME, 'nlctrl')],
    });
    const { messages } = await socket.request(request);
    const [answer] = messages.map((message) => unpackGeneric(message));
    expect(answer).to.include({ command: CTRL_CMD_NEWFAMILY, version: 2 });
    expect(answer?.attributes.u16(CTRL_ATTR_FAMILY_ID)).to.equal(GENL_ID_CTRL);
    expect(messages.map(unpackGenericFamily)[0]?.name).to.equal('nlctrl');
    const names = [...socket.dumpSync(genericRequest(family, { command: CTRL_CMD_GETFAMILY }))].map(
      (one) => unpackGenericFamily(one)?.name,
    );
    expect(names).to.include('nlctrl');
    // groups of families are joined by the number that the family tells
    socket.join(family.groups.notify as number);
    expect(socket.groups).to.deep.equal([GENL_ID_CTRL]);
    expect((await listGenericFamilies({ socket })).length).to.equal(names.length);
    using other = new NetlinkSocket();
    expect(await rejection(listGenericFamilies({ socket: other }))).to.include({ argument: 'options.socket' });
  });

  itIf(policies, 'what a family accepts', async () => {
    for (const policy of [await getGenericPolicy({ id: GENL_ID_CTRL }), getGenericPolicySync({ id: GENL_ID_CTRL })]) {
      const { request, dump } = policy.commands.get(CTRL_CMD_GETFAMILY) ?? {};
      const { dump: other } = policy.commands.get(CTRL_CMD_GETPOLICY) ?? policy.commands.get(0) ?? {};
      expect(request ?? dump ?? other).to.be.a('number');
      const attributes = policy.policies.get(request ?? dump ?? 0);
      expect(attributes?.get(CTRL_ATTR_FAMILY_ID)?.type).to.equal(NL_ATTR_TYPE_U16);
      expect(attributes?.get(CTRL_ATTR_FAMILY_NAME)).to.include({ type: NL_ATTR_TYPE_NUL_STRING, maximumLength: 15 });
    }
    expect(await rejection(getGenericPolicy({ id: 1023 }))).to.be.instanceOf(NetlinkError);
    expect(thrown(() => getGenericPolicySync({ id: 5 }))).to.include({ argument: 'family.id' });
    expect(thrown(() => getGenericPolicySync(5 as never))).to.include({ argument: 'family' });
  });

  it('requests are made of a command, the header of the family, and attributes', () => {
    const family = { id: 40, headerSize: 4, version: 3 };
    const request = genericRequest(family, {
      command: 7,
      header: 'abcd',
      flags: 0x100,
      attributes: [attribute.u8(1, 9)],
    });
    expect(request).to.include({ type: 40, flags: 0x100 });
    const [message] = unpackMessages(packMessage(request)).messages;
    const read = unpackGeneric(message as never, 4);
    expect(read).to.include({ command: 7, version: 3 });
    expect(read?.header.toString()).to.equal('abcd');
    expect(read?.attributes.u8(1)).to.equal(9);
    expect((genericRequest(family, { command: 7, version: 1 }).payload as Buffer)[1]).to.equal(1);
    const cases: [unknown, unknown, string][] = [
      [5, {}, 'family'],
      [{ id: 1 }, { command: 1 }, 'family.id'],
      [{ id: 40, headerSize: -1 }, { command: 1 }, 'family.headerSize'],
      [family, 5, 'message'],
      [family, { command: 256 }, 'message.command'],
      [family, { command: 1, version: -1 }, 'message.version'],
      [family, { command: 1, header: 'abc' }, 'message.header'],
      [family, { command: 1, header: 5 }, 'message.header'],
    ];
    for (const [one, given, argument] of cases) {
      expect(
        thrown(() => genericRequest(one as never, given as never)),
        argument,
      ).to.include({ argument });
    }
  });
});
