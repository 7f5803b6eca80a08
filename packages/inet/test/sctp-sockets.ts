import { SOCK_SEQPACKET } from '@sock/core';
import { SCTP_ASSOC_CHANGE, type SctpArrival, type SctpMessage, SctpSocket, type SctpSocketOptions } from '@sock/inet';
import { scaled } from '@sock/testkit';

/** What one kind of arrival looks like. */
export type ArrivalOf<Kind extends SctpArrival['kind']> = Extract<SctpArrival, { kind: Kind }>;

/** Closes after a test what it opened. */
export class Sockets implements Disposable {
  readonly #open: SctpSocket[] = [];

  /** Keeps a socket, with a time limit for whatever waits. */
  own(socket: SctpSocket): SctpSocket {
    socket.timeout = scaled(20_000);
    this.#open.push(socket);
    return socket;
  }

  /** A one-to-one socket. */
  one(options: SctpSocketOptions = {}): SctpSocket {
    return this.own(new SctpSocket(options));
  }

  /** A one-to-many socket that listens. */
  many(options: SctpSocketOptions = {}, host = '127.0.0.1'): SctpSocket {
    const socket = this.own(new SctpSocket({ type: SOCK_SEQPACKET, events: [SCTP_ASSOC_CHANGE], ...options }));
    socket.bindSync({ host });
    socket.listen();
    return socket;
  }

  /** A one-to-one socket that listens, on one or several addresses; `prepare` sets options before. */
  server(
    options: SctpSocketOptions = {},
    hosts: readonly string[] = ['127.0.0.1'],
    prepare: (socket: SctpSocket) => void = () => {},
  ): SctpSocket {
    const [first = '', ...others] = hosts;
    const socket = this.one(options);
    prepare(socket);
    socket.bindSync({ host: first });
    if (others.length > 0) socket.bindx(others.map((host) => ({ host })));
    socket.listen();
    return socket;
  }

  /** Two one-to-one sockets that are connected to each other; `prepare` sets options of both before. */
  async pair(
    options: SctpSocketOptions = {},
    hosts?: readonly string[],
    prepare: (socket: SctpSocket) => void = () => {},
  ): Promise<[SctpSocket, SctpSocket]> {
    const server = this.server(options, hosts, prepare);
    const client = this.one(options);
    prepare(client);
    await client.connect(server.getsockname());
    const { socket } = await server.accept();
    server.close();
    return [client, this.own(socket)];
  }

  [Symbol.dispose](): void {
    for (const socket of this.#open.splice(0)) socket.close();
  }
}

/** Receives until something of one kind comes, which other kinds may precede. */
export async function next<Kind extends SctpArrival['kind']>(
  socket: SctpSocket,
  kind: Kind,
  accept: (arrival: ArrivalOf<Kind>) => boolean = () => true,
): Promise<ArrivalOf<Kind>> {
  for (;;) {
    const arrival = await socket.recvMessage();
    if (arrival.kind === kind && accept(arrival as ArrivalOf<Kind>)) return arrival as ArrivalOf<Kind>;
    if (arrival.kind === 'end') throw new Error(`the end came before any ${kind}`);
  }
}

/** The text of a message. */
export const textOf = ({ data }: SctpMessage): string => data.toString();
