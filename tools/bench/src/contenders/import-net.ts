// What a script imports that would use node:net and node:dgram.
import 'node:dgram';
import 'node:net';
