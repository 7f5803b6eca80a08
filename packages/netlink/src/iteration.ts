/** An operation whose calls run one after the other, in the order that they were made. */
function inOrder<T>(operation: () => Promise<T>): () => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return () => {
    const next = last.then(operation);
    last = next.catch(() => {});
    return next;
  };
}

/** What comes one after the other until it is closed: by `close`, by the end of a loop or by `using`. */
export abstract class Iteration<T> implements AsyncIterableIterator<T>, Disposable, AsyncDisposable {
  readonly #next = inOrder(() => this.advance());

  /** Waits for the next one. Called after the calls before it are done. */
  protected abstract advance(): Promise<IteratorResult<T, undefined>>;

  /** Ends the iteration. */
  abstract close(): void;

  /**
   * The next one. Several calls may be pending: they are answered in their order.
   * @throws SocketError `ENOBUFS` where some were lost before it: get the state anew and go on
   */
  next(): Promise<IteratorResult<T, undefined>> {
    return this.#next();
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.close();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }
}
