import hsharness from './jest.cjs';

export const { each, test, it, start, Harness, HsharnessError } = hsharness;
