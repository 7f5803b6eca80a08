// what was taken is cut off only now and then: Array.shift moves all that follows
const CUT = 1024;

/** What waits to be taken, first in first out. */
export class Queue<T> {
  #items: T[] = [];
  #first = 0;

  get length(): number {
    return this.#items.length - this.#first;
  }

  /** The one that came last. */
  get last(): T | undefined {
    return this.length === 0 ? undefined : this.#items.at(-1);
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    if (this.length === 0) return undefined;
    const item = this.#items[this.#first++] as T;
    if (this.#first === this.#items.length) this.clear();
    else if (this.#first >= CUT && this.#first * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#first);
      this.#first = 0;
    }
    return item;
  }

  clear(): void {
    this.#items = [];
    this.#first = 0;
  }

  /** All, in order; nothing is left. */
  takeAll(): T[] {
    const items = this.#first === 0 ? this.#items : this.#items.slice(this.#first);
    this.clear();
    return items;
  }
}
