// Says something to the echo server, and shows what comes back.
//   node client.js [host] [port]
import { SOCK_STREAM, Socket } from '@sock/core';
import { inet } from '@sock/inet';

const [host = 'localhost', port = '50007'] = process.argv.slice(2);

using client = new Socket(inet, SOCK_STREAM);
await client.connect({ host, port: Number(port) });
await client.sendAll('Hello, world');
const data = await client.recv(1024);
console.log('received', data.toString());
