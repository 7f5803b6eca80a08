// The client over either IP version, blocking its thread.
//   node client-sync.js [host] [port]
import { SOCK_STREAM } from '@sock/core';
import { getaddrinfoSync } from '@sock/inet';
import { firstSync } from './first.js';

const [host = 'localhost', port = '50007'] = process.argv.slice(2);

const found = getaddrinfoSync(host, port, { type: SOCK_STREAM });
using client = firstSync(found, (socket, { address }) => socket.connectSync(address));
client.sendAllSync('Hello, world');
const data = client.recvSync(1024);
console.log('received', data.toString());
