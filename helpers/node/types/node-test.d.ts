import type { Harness, Options } from './index.js';

export { Ended, Fault, Harness, HsharnessError, Mint, Mode, Operation, Options, Request, Tally, Urls } from './index.js';

/** What the context of a test of node:test has of use here. */
export interface Context {
  readonly name: string;
  after(fn: () => unknown): void;
}

/** Makes a client for a test, and ends it with the test. */
export function start(t: Context, options?: Options): Promise<Harness>;
