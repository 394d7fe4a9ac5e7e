import type { Harness, Options } from './index.js';

export { Ended, Fault, Harness, HsharnessError, Mint, Mode, Operation, Options, Request, start, Tally, Urls } from './index.js';

/** Gives each test of the file, or of the describe block, a client of its own, and returns that
 * of the test under way. */
export function each(options?: Options): Harness;

type Define = (name: string, run: (hsharness: Harness) => unknown, options?: Options & { timeout?: number }) => void;

/** A test with a client of its own, also where tests run at the same time. */
export const test: Define & { only: Define; skip: Define; concurrent: Define };
export const it: typeof test;
