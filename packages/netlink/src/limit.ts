import { Deadline, type SocketError, type WaitOptions } from '@sock/core';

/** How long an operation of several steps may take, what may end it, and what it is called. */
export class Limit extends Deadline {
  readonly #label: string;

  /**
   * @param fallback milliseconds, or `null`, where the options name none
   * @param label what takes so long, for the message
   */
  constructor(options: WaitOptions, fallback: number | null, label: string) {
    super(options, fallback);
    this.#label = label;
  }

  override left(): number | null {
    return super.left(this.#label);
  }

  override expired(): SocketError {
    return super.expired(this.#label);
  }
}
