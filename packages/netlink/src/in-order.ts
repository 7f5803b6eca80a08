/** An operation whose calls run one after the other, in the order that they were made. */
export function inOrder<T>(operation: () => Promise<T>): () => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return () => {
    const next = last.then(operation);
    last = next.catch(() => {});
    return next;
  };
}
