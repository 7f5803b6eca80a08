// The other process of the tour: opens a file and passes its descriptor.
import { closeSync, openSync } from 'node:fs';
import { SOCK_STREAM, Socket } from '@sock/core';
import { sendFds, unix } from '@sock/unix';

const [path, file] = process.argv.slice(2) as [string, string];
using socket = new Socket(unix, SOCK_STREAM);
await socket.connect(path);
const fd = openSync(file, 'r');
await sendFds(socket, 'take this', [fd]);
closeSync(fd);
