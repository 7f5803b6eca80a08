import { closeSync } from 'node:fs';
import { createNetworkNamespace, SOCK_STREAM, Socket } from '@sock/core';
import { inet } from '@sock/inet';
import {
  addLink,
  getGenericFamily,
  listAddresses,
  listInetSockets,
  listLinks,
  NetlinkError,
  setLink,
  watchLinks,
} from '@sock/netlink';
import { type Step, Unavailable } from './step.js';

const links: Step = {
  family: 'netlink links',
  async run() {
    const addresses = await listAddresses();
    const texts = (await listLinks()).map(({ name, index, mtu, up }) => {
      const own = addresses.filter((one) => one.index === index).map((one) => `${one.address}/${one.prefixLength}`);
      return `${name} (mtu ${mtu}, ${up ? 'up' : 'down'}${own.length === 0 ? '' : `, ${own.join(' ')}`})`;
    });
    const more = texts.length > 3 ? ` and ${texts.length - 3} more` : '';
    return texts.slice(0, 3).join(', ') + more;
  },
};

const watch: Step = {
  family: 'netlink watch',
  async run() {
    // a namespace of its own: the machine's links stay as they are
    const namespace = createNetworkNamespace();
    try {
      using watcher = watchLinks({ namespace });
      await addLink({ kind: 'veth', name: 'tour0', peer: { name: 'tour1' } }, { namespace }).catch((error) => {
        if (!(error instanceof NetlinkError) || error.code !== 'EOPNOTSUPP') throw error;
        throw new Unavailable('this kernel has no veth', 'load the module veth (modprobe veth)');
      });
      await setLink('tour0', { up: true, mtu: 1400 }, { namespace });
      for await (const { event, link } of watcher) {
        if (link.name !== 'tour0' || !link.up || link.mtu !== 1400) continue;
        return `in a namespace of its own ${link.name} (${link.kind}) was made, and told of: ${event}, mtu ${link.mtu}, up`;
      }
      throw new Error('the watcher ended');
    } finally {
      closeSync(namespace);
    }
  },
};

const generic: Step = {
  family: 'netlink generic',
  async run() {
    const { id, version, groups, operations } = await getGenericFamily('nlctrl');
    const names = Object.entries(groups).map(([name, group]) => `${name} (${group})`);
    return `the family nlctrl has the number ${id}, version ${version}, ${operations.length} commands, the group ${names}`;
  },
};

const diag: Step = {
  family: 'netlink sock_diag',
  async run() {
    using server = new Socket(inet, SOCK_STREAM);
    await server.bind({ host: '127.0.0.1' });
    server.listen(7);
    const { port } = server.getsockname();
    const sockets = await listInetSockets({ protocol: 'tcp' }).catch((error) => {
      if (!(error instanceof NetlinkError) || error.code !== 'ENOENT') throw error;
      throw new Unavailable('this kernel lists no TCP sockets', 'load the module tcp_diag (modprobe tcp_diag)');
    });
    const own = sockets.find(({ local, state }) => state === 'listening' && local.port === port);
    if (own === undefined) throw new Error('our own listener is not in the list');
    return `${sockets.length} TCP sockets; ours listens on ${own.local.host}:${own.local.port}, backlog ${own.sendQueue}, user ${own.uid}`;
  },
};

export const netlinkSteps: readonly Step[] = [links, watch, generic, diag];
