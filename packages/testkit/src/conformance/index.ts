import { badInputTests } from '../bad-input.js';
import { describeIf } from '../probe.js';
import { ancillaryTests } from './ancillary.js';
import { batchTests } from './batch.js';
import { Bench } from './bench.js';
import { cancellationTests } from './cancellation.js';
import { closedTests } from './closed.js';
import { connectTests } from './connect.js';
import { duplexTests } from './duplex.js';
import { flagTests } from './flags.js';
import { iteratorTests } from './iterators.js';
import { largeTests } from './large.js';
import { messageTests } from './messages.js';
import { optionTests } from './options.js';
import { ownershipTests } from './ownership.js';
import { pendingTests } from './pending.js';
import { processTests } from './processes.js';
import { readinessTests } from './readiness.js';
import { shutdownTests } from './shutdown.js';
import { timeoutTests } from './timeouts.js';
import type { Traits } from './traits.js';
import { transferTests } from './transfer.js';
import { webTests } from './web.js';

export { Bench } from './bench.js';
export { failure, type LibraryError, rejection, thrown } from './failures.js';
export { FORMS, type Form, invoke, methodName, type Operation, perform } from './forms.js';
export type { BadAddress, Kind, Supports, Traits } from './traits.js';

/** Defines the tests that every kind of socket must pass, for one kind. */
export function conformance<Address, Input = Address>(traits: Traits<Address, Input>): void {
  describeIf(traits.requires ?? [], `conformance: ${traits.name}`, function (this: Mocha.Suite) {
    this.timeout(20_000);
    const bench = new Bench(traits);
    afterEach(() => bench.clean());
    connectTests(bench);
    transferTests(bench);
    messageTests(bench);
    batchTests(bench);
    flagTests(bench);
    largeTests(bench);
    shutdownTests(bench);
    timeoutTests(bench);
    cancellationTests(bench);
    pendingTests(bench);
    closedTests(bench);
    ancillaryTests(bench);
    optionTests(bench);
    duplexTests(bench);
    webTests(bench);
    iteratorTests(bench);
    readinessTests(bench);
    ownershipTests(bench);
    if (traits.brief === true) return;
    processTests(bench);
    badInputTests(bench);
  });
}
