import hsharness from './index.cjs';

export const { start, Harness, HsharnessError } = hsharness;
