// Says something to the echo server over whichever IP version reaches it: the addresses of its name are tried in turn.
// `createConnection` of @sock/inet does so in one call, and tries two at a time.
//   node client.js [host] [port]
import { SOCK_STREAM } from '@sock/core';
import { getaddrinfo } from '@sock/inet';
import { first } from './first.js';

const [host = 'localhost', port = '50007'] = process.argv.slice(2);

const found = await getaddrinfo(host, port, { type: SOCK_STREAM });
using client = await first(found, (socket, { address }) => socket.connect(address));
await client.sendAll('Hello, world');
const data = await client.recv(1024);
console.log('received', data.toString());
