import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { alg } from '@sock/alg';
import {
  HciSocket,
  hciDeviceInfo,
  hciDevices,
  hciDeviceUp,
  hciOpcode,
  hciSetScan,
  l2cap,
  MgmtSocket,
  mgmtReadIndexList,
  mgmtReadInfo,
  mgmtReadVersion,
  mgmtSettingNames,
  rfcomm,
  SCAN_PAGE,
} from '@sock/bluetooth';
import { Socket } from '@sock/core';
import { type Step, Unavailable } from './step.js';

/** Two controllers of BlueZ's emulator, up and connectable. */
async function controllers(): Promise<{ first: number; second: number } & AsyncDisposable> {
  // the kernel is asked first: without AF_BLUETOOTH that is what is missing
  const before = hciDevices();
  if (process.getuid?.() !== 0 || !existsSync('/dev/vhci')) {
    throw new Unavailable(
      'there are no virtual controllers',
      'run as root, with the module hci_vhci (modprobe hci_vhci)',
    );
  }
  // the emulator asks for these between making a controller and answering it, for which the kernel waits ten seconds
  for (const cipher of [
    { type: 'skcipher', name: 'ecb(aes)' },
    { type: 'hash', name: 'cmac(aes)' },
  ]) {
    using socket = new Socket(alg);
    await socket.bind(cipher);
  }
  const emulator = await start('btvirt', ['-l2']);
  const added = () => hciDevices().filter((device) => !before.includes(device));
  while (added().length < 2) await delay(20);
  const [first = -1, second = -1] = added();
  using mgmt = new MgmtSocket();
  for (const device of [first, second]) {
    // the kernel gets to know a new controller first
    while (!(await mgmt.command(mgmtReadIndexList)).includes(device)) await delay(20);
    hciDeviceUp(device);
    hciSetScan(device, SCAN_PAGE);
  }
  return {
    first,
    second,
    async [Symbol.asyncDispose]() {
      emulator.kill();
      // their numbers are free again then, and not before
      while (hciDevices().some((device) => device === first || device === second)) await delay(20);
    },
  };
}

function start(command: string, args: readonly string[]): Promise<ChildProcess> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'ignore' });
    child.once('spawn', () => resolve(child));
    child.once('error', () => reject(new Unavailable(`there is no ${command}`, 'install bluez-test-tools')));
  });
}

const messages: Step = {
  family: 'bluetooth L2CAP',
  async run() {
    await using air = await controllers();
    const address = { address: hciDeviceInfo(air.second).address, psm: 0x1001 };
    using server = new Socket(l2cap);
    await server.bind(address);
    server.listen();
    using client = new Socket(l2cap);
    await client.bind({ address: hciDeviceInfo(air.first).address });
    const [{ socket, address: from }] = await Promise.all([server.accept(), client.connect(address)]);
    using peer = socket;
    await client.send('hello');
    await peer.send((await peer.recv(672)).toString().toUpperCase());
    return `'hello' → '${await client.recv(672)}', from ${from.address} to ${address.address}`;
  },
};

const serial: Step = {
  family: 'bluetooth RFCOMM',
  async run() {
    await using air = await controllers();
    const address = { address: hciDeviceInfo(air.second).address, channel: 7 };
    using server = new Socket(rfcomm);
    await server.bind(address);
    server.listen();
    using client = new Socket(rfcomm);
    await client.bind({ address: hciDeviceInfo(air.first).address });
    const [{ socket }] = await Promise.all([server.accept(), client.connect(address)]);
    using peer = socket;
    await client.sendAll('AT');
    return `'${await peer.recv(64)}' on channel 7 of ${address.address}`;
  },
};

const controller: Step = {
  family: 'bluetooth HCI',
  async run() {
    await using air = await controllers();
    using socket = new HciSocket();
    await socket.bind({ device: air.first });
    const { parameters } = await socket.sendCommand(hciOpcode(4, 1));
    using mgmt = new MgmtSocket();
    const { version, revision } = await mgmt.command(mgmtReadVersion);
    const { address, currentSettings } = await mgmt.command(mgmtReadInfo, undefined, { device: air.first });
    const settings = mgmtSettingNames(currentSettings).join(' ').toLowerCase();
    return `hci${air.first} ${address}, HCI version ${parameters[0]}: ${settings}; management ${version}.${revision}`;
  },
};

export const bluetoothSteps: readonly Step[] = [messages, serial, controller];
