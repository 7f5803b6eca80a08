import { spawn } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { delay, startCommand } from '@sock/testkit';
import { ip, settle } from './frames.js';

/** A host at the other end of `vb`, with the address 192.0.2.2: another network namespace. */
export async function host(): Promise<Disposable> {
  const sleeper = spawn('unshare', ['-n', 'sleep', '60'], { stdio: 'ignore' });
  const inside = (command: string) =>
    startCommand('nsenter', ['-t', `${sleeper.pid}`, '-n', 'sh', '-c', command], { input: '' });
  // the process has its namespace a moment after it was started
  const namespaceOf = (pid: number | string) => readlinkSync(`/proc/${pid}/ns/net`);
  while (namespaceOf(sleeper.pid as number) === namespaceOf('self')) await delay(5);
  ip('link', 'set', 'vb', 'netns', `${sleeper.pid}`);
  await inside('ip link set lo up; ip link set vb up; ip addr add 192.0.2.2/24 dev vb').succeeded();
  settle();
  return {
    [Symbol.dispose]: () => {
      sleeper.kill('SIGKILL');
    },
  };
}
