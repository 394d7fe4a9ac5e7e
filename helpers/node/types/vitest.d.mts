import type { TestAPI } from 'vitest';
import type { Harness, Options } from './index.js';

export * from 'vitest';
export { Ended, Fault, Harness, HsharnessError, Mint, Mode, Operation, Options, Request, start, Tally, Urls } from './index.js';

/** The fixtures: a client of the test's own, and what it is started with. */
export interface Fixtures {
  hsharness: Harness;
  hsharnessOptions: Options;
}

/** The test of vitest with a client of its own: `test('…', async ({ hsharness }) => …)`. */
export const test: TestAPI<Fixtures>;
export const it: TestAPI<Fixtures>;
