import hsharness from './node-test.cjs';

export const { start, Harness, HsharnessError } = hsharness;
