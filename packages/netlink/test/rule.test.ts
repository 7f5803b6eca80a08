import { AF_INET, AF_INET6 } from '@sock/core';
import {
  addRule,
  addRuleSync,
  deleteRule,
  deleteRuleSync,
  FR_ACT_GOTO,
  FR_ACT_NOP,
  FR_ACT_PROHIBIT,
  FR_ACT_TO_TBL,
  listRules,
  listRulesSync,
  NetlinkError,
  type NetlinkSocket,
  RT_TABLE_DEFAULT,
  RT_TABLE_LOCAL,
  RT_TABLE_MAIN,
  RTPROT_KERNEL,
  RTPROT_STATIC,
  type Rule,
} from '@sock/netlink';
import { describeIf, itIf, probe, rejection, thrown } from '@sock/testkit';
import { networks } from '@sock/testkit/network';
import { expect } from 'chai';
import { type Namespace, sharedNamespace, veth } from './namespace.js';

type Json = Record<string, unknown>;
const TABLES: Record<number, string> = {
  [RT_TABLE_MAIN]: 'main',
  [RT_TABLE_LOCAL]: 'local',
  [RT_TABLE_DEFAULT]: 'default',
};
const tableOf = (table: number): string => TABLES[table] ?? String(table);

describeIf([networks, veth], 'rules, beside ip(8)', function () {
  this.timeout(30_000);
  let namespace: Namespace;
  let socket: NetlinkSocket;

  sharedNamespace((made, opened) => {
    namespace = made;
    socket = opened;
  });

  afterEach(() => {
    for (const rule of listRulesSync({ socket })) {
      if (rule.protocol === RTPROT_KERNEL) continue;
      deleteRuleSync({ family: rule.family, priority: rule.priority }, { socket });
    }
  });

  function asIp(rule: Rule): Json {
    const whole = rule.family === AF_INET ? 32 : 128;
    const text = (range: { first: number; last: number } | undefined) =>
      range === undefined || range.first === range.last ? range?.first : `${range.first}-${range.last}`;
    return {
      priority: rule.priority,
      src: rule.source === undefined ? 'all' : rule.source,
      srclen: rule.source === undefined || rule.sourcePrefixLength === whole ? undefined : rule.sourcePrefixLength,
      dst: rule.destination,
      dstlen:
        rule.destination === undefined || rule.destinationPrefixLength === whole
          ? undefined
          : rule.destinationPrefixLength,
      table: rule.action === FR_ACT_TO_TBL ? tableOf(rule.table) : undefined,
      iif: rule.incomingInterface,
      oif: rule.outgoingInterface,
      fwmark: rule.mark === undefined ? undefined : `0x${rule.mark.toString(16)}`,
      fwmask:
        rule.markMask === undefined || rule.markMask === 0xffffffff ? undefined : `0x${rule.markMask.toString(16)}`,
      not: rule.invert ? null : undefined,
      sport: text(rule.sourcePorts),
      dport: text(rule.destinationPorts),
      suppress: rule.suppressPrefixLength,
    };
  }

  function fromIp(json: Json): Json {
    const text = (name: 'sport' | 'dport') =>
      json[name] ??
      (json[`${name}_start`] === undefined ? undefined : `${json[`${name}_start`]}-${json[`${name}_end`]}`);
    return {
      priority: json.priority,
      src: json.src,
      srclen: json.srclen,
      dst: json.dst,
      dstlen: json.dstlen,
      table: json.table,
      iif: json.iif,
      oif: json.oif,
      fwmark: json.fwmark,
      fwmask: json.fwmask,
      not: json.not,
      sport: text('sport'),
      dport: text('dport'),
      suppress: json.suppress_prefixlen,
    };
  }

  async function compare(): Promise<Rule[]> {
    const ours = await listRules({ socket });
    for (const [family, flag] of [
      [AF_INET, '-4'],
      [AF_INET6, '-6'],
    ] as const) {
      const theirs = (await namespace.ip(flag, 'rule')).map(fromIp);
      expect(ours.filter((rule) => rule.family === family).map(asIp), flag).to.deep.equal(theirs);
    }
    return ours;
  }

  it('what ip adds, and what we add, both see alike', async () => {
    const add = (...words: string[]) => namespace.run('ip', 'rule', 'add', ...words);
    await add('from', '192.0.2.0/24', 'table', '100', 'priority', '1000');
    await add('not', 'to', '10.0.0.0/8', 'iif', 'lo', 'fwmark', '0x5/0xff', 'table', 'main', 'priority', '1001');
    await add('ipproto', 'tcp', 'dport', '80-90', 'prohibit', 'priority', '1002');
    await addRule({ source: '198.51.100.0', sourcePrefixLength: 24, table: 100, priority: 2000 }, { socket });
    await addRule(
      { invert: true, destination: '10.0.0.1', outgoingInterface: 'lo', mark: 6, markMask: 0xf0, priority: 2001 },
      { socket },
    );
    addRuleSync(
      {
        ipProtocol: 17,
        sourcePorts: { first: 53, last: 53 },
        destinationPorts: { first: 1, last: 9 },
        action: FR_ACT_PROHIBIT,
        priority: 2002,
      },
      { socket },
    );
    addRuleSync(
      { family: AF_INET6, incomingInterface: 'lo', table: 5000, suppressPrefixLength: 0, priority: 2003 },
      { socket },
    );
    addRuleSync(
      { source: '2001:db8::', sourcePrefixLength: 32, table: 7, protocol: RTPROT_STATIC, tos: 0 },
      { socket },
    );
    const rules = await compare();
    const at = (priority: number) => rules.find((rule) => rule.priority === priority);
    expect(at(2000)).to.include({
      source: '198.51.100.0',
      sourcePrefixLength: 24,
      table: 100,
      action: FR_ACT_TO_TBL,
    });
    expect(at(2001)).to.include({
      invert: true,
      mark: 6,
      markMask: 0xf0,
      outgoingInterface: 'lo',
      table: RT_TABLE_MAIN,
    });
    expect(at(2002)?.sourcePorts).to.deep.equal({ first: 53, last: 53 });
    expect(at(2002)).to.include({ ipProtocol: 17, action: FR_ACT_PROHIBIT });
    expect(at(2003)).to.include({ family: AF_INET6, suppressPrefixLength: 0, table: 5000 });
    expect(rules.find(({ protocol }) => protocol === RTPROT_STATIC)).to.include({
      source: '2001:db8::',
      family: AF_INET6,
    });
  });

  itIf(probe('root'), 'users', async () => {
    addRuleSync({ priority: 3100, action: FR_ACT_NOP, users: { first: 1000, last: 2000 } }, { socket });
    const rules = await listRules({ socket, family: AF_INET });
    expect(rules.find(({ priority }) => priority === 3100)?.users).to.deep.equal({ first: 1000, last: 2000 });
  });

  it('jumps and what does nothing', async () => {
    addRuleSync({ priority: 3000, action: FR_ACT_NOP }, { socket });
    addRuleSync({ priority: 2999, goto: 3000 }, { socket });
    const rules = await listRules({ socket, family: AF_INET });
    expect(rules.find(({ priority }) => priority === 3000)).to.include({ action: FR_ACT_NOP });
    expect(rules.find(({ priority }) => priority === 2999)).to.include({ action: FR_ACT_GOTO, goto: 3000 });
  });

  it('what is there twice, and what is not there', async () => {
    const rule = { priority: 4000, table: 9, l3mdev: false };
    await addRule(rule, { socket });
    expect(await rejection(addRule(rule, { socket })))
      .to.be.instanceOf(NetlinkError)
      .and.include({ code: 'EEXIST' });
    await deleteRule(rule, { socket });
    const gone = thrown(() => deleteRuleSync(rule, { socket }));
    expect(gone).to.include({ code: 'ENOENT', message: 'RTM_DELRULE ENOENT: there is no such rule' });
  });

  describe('bad input', () => {
    const rules: [unknown, string][] = [
      [null, 'rule'],
      [{ family: 1 }, 'rule.family'],
      [{ source: 'x' }, 'rule.source'],
      [{ source: '10.0.0.0', sourcePrefixLength: 33 }, 'rule.sourcePrefixLength'],
      [{ source: '10.0.0.0', destination: '::' }, 'rule.destination'],
      [{ destination: '::', destinationPrefixLength: -1 }, 'rule.destinationPrefixLength'],
      [{ priority: -1 }, 'rule.priority'],
      [{ mark: 'x' }, 'rule.mark'],
      [{ goto: 0.5 }, 'rule.goto'],
      [{ tos: 256 }, 'rule.tos'],
      [{ incomingInterface: '' }, 'rule.incomingInterface'],
      [{ outgoingInterface: 5 }, 'rule.outgoingInterface'],
      [{ users: 5 }, 'rule.users'],
      [{ users: { first: 2, last: 1 } }, 'rule.users.last'],
      [{ sourcePorts: { first: 65_536, last: 1 } }, 'rule.sourcePorts.first'],
      [{ destinationPorts: { first: 1, last: 65_536 } }, 'rule.destinationPorts.last'],
      [{ ipProtocol: 256 }, 'rule.ipProtocol'],
      [{ protocol: 256 }, 'rule.protocol'],
      [{ l3mdev: 1 }, 'rule.l3mdev'],
      [{ action: 256 }, 'rule.action'],
      [{ table: -1 }, 'rule.table'],
      [{ invert: 1 }, 'rule.invert'],
    ];
    for (const [rule, argument] of rules) {
      it(`a rule with a wrong ${argument}`, async () => {
        expect(await rejection(addRule(rule as never, { socket }))).to.include({ argument });
        expect(thrown(() => deleteRuleSync(rule as never, { socket }))).to.include({ argument });
      });
    }
    it('lists of rules', () => {
      expect(thrown(() => listRulesSync({ socket, family: 99 }))).to.include({ argument: 'options.family' });
      expect(listRulesSync().length).to.be.greaterThan(0);
    });
  });
});
