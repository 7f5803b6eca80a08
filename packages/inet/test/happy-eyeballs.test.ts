import { rejection } from '@sock/testkit';
import { expect } from 'chai';
import fc from 'fast-check';
import { AllFailed, interleave, race } from '#inet/happy-eyeballs.js';

interface Attempt {
  resolve(): void;
  reject(error: Error): void;
  readonly signal: AbortSignal;
}

/** A race whose attempts end when the test says so. */
function staged(count: number, delay: number | null) {
  const attempts: Attempt[] = [];
  const discarded: string[] = [];
  const end = new AbortController();
  const outcome = race<string>({
    count,
    delay,
    signal: end.signal,
    attempt: (index, signal) =>
      new Promise((resolve, reject) => {
        attempts.push({ resolve: () => resolve(`attempt ${index}`), reject, signal });
      }),
    discard: (value) => discarded.push(value),
  });
  outcome.catch(() => {});
  const begun = async (number: number): Promise<Attempt> => {
    while (attempts.length < number) await new Promise((resolve) => setTimeout(resolve, 1));
    return attempts[number - 1] as Attempt;
  };
  return { attempts, discarded, outcome, end, begun };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('race of connection attempts', () => {
  it('gives the first where it succeeds, and begins no other', async () => {
    const { attempts, outcome, begun } = staged(3, 10);
    (await begun(1)).resolve();
    expect(await outcome).to.equal('attempt 0');
    await new Promise((resolve) => setTimeout(resolve, 25));
    expect(attempts).to.have.lengthOf(1);
  });

  it('begins the next at once where one fails', async () => {
    const { outcome, attempts, begun } = staged(3, 100_000);
    (await begun(1)).reject(new Error('first'));
    (await begun(2)).reject(new Error('second'));
    (await begun(3)).resolve();
    expect(await outcome).to.equal('attempt 2');
    expect(attempts).to.have.lengthOf(3);
  });

  it('begins the next where one takes its time, and still takes the first', async () => {
    const { outcome, attempts, discarded, begun } = staged(3, 10);
    const first = await begun(1);
    const second = await begun(2);
    first.resolve();
    expect(await outcome).to.equal('attempt 0');
    expect(second.signal.aborted).to.equal(true);
    // the second succeeds all the same: nobody wants it any more
    second.resolve();
    for (const late of attempts.slice(2)) late.reject(new Error('called off'));
    await turn();
    expect(discarded).to.deep.equal(['attempt 1']);
  });

  it('waits the whole delay again after a failure', async () => {
    const { outcome, attempts, begun } = staged(3, 40);
    (await begun(1)).reject(new Error('refused'));
    // seen a little later than it began, and still far from the third
    await begun(2);
    const started = performance.now();
    (await begun(3)).resolve();
    expect(performance.now() - started).to.be.at.least(20);
    expect(await outcome).to.equal('attempt 2');
    expect(attempts).to.have.lengthOf(3);
  });

  it('makes one attempt at a time without a delay', async () => {
    const { attempts, outcome, begun } = staged(2, null);
    const first = await begun(1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(attempts).to.have.lengthOf(1);
    first.reject(new Error('refused'));
    (await begun(2)).resolve();
    expect(await outcome).to.equal('attempt 1');
  });

  it('fails with all errors, in the order of the attempts', async () => {
    const { outcome, begun } = staged(3, 5);
    const third = await begun(3);
    third.reject(new Error('third'));
    (await begun(1)).reject(new Error('first'));
    await turn();
    (await begun(2)).reject(new Error('second'));
    const error: unknown = await outcome.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).to.be.instanceOf(AllFailed);
    expect((error as AllFailed).errors.map((one) => (one as Error).message)).to.deep.equal([
      'first',
      'second',
      'third',
    ]);
  });

  it('is called off', async () => {
    const { outcome, end, begun, attempts, discarded } = staged(3, 5);
    const second = await begun(2);
    const reason = new Error('enough');
    end.abort(reason);
    expect(await rejection(outcome)).to.equal(reason);
    expect(attempts.every(({ signal }) => signal.aborted)).to.equal(true);
    second.resolve();
    await turn();
    expect(discarded).to.deep.equal(['attempt 1']);
  });

  it('does not begin where it is called off already', async () => {
    const reason = new Error('enough');
    let begun = 0;
    const attempt = async () => ++begun;
    const outcome = race({ count: 1, delay: null, signal: AbortSignal.abort(reason), attempt, discard: () => {} });
    expect(await rejection(outcome)).to.equal(reason);
    expect(begun).to.equal(0);
  });
});

describe('order of addresses', () => {
  it('has the families take turns, the first one first', () => {
    const list = ['6a', '6b', '6c', '4a', '4b'];
    expect(interleave(list, (item) => Number(item[0]))).to.deep.equal(['6a', '4a', '6b', '4b', '6c']);
    expect(interleave([...list].reverse(), (item) => Number(item[0]))).to.deep.equal(['4b', '6c', '4a', '6b', '6a']);
    expect(interleave([], () => 0)).to.deep.equal([]);
  });

  it('loses none, and keeps the order within a family', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(2, 10), fc.nat())), (list) => {
        const mixed = interleave(list, ([family]) => family);
        expect(mixed).to.have.lengthOf(list.length);
        for (const family of [2, 10]) {
          const of = (items: typeof list) => items.filter(([one]) => one === family);
          expect(of(mixed)).to.deep.equal(of(list));
        }
        expect(mixed[0]).to.equal(list[0]);
      }),
    );
  });
});
