// The client of the echo server, blocking its thread.
//   node client-sync.js [host] [port]
import { SOCK_STREAM, Socket } from '@sock/core';
import { inet } from '@sock/inet';

const [host = 'localhost', port = '50007'] = process.argv.slice(2);

using client = new Socket(inet, SOCK_STREAM);
client.connectSync({ host, port: Number(port) });
client.sendAllSync('Hello, world');
const data = client.recvSync(1024);
console.log('received', data.toString());
