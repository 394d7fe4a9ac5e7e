import { describe, expect, test } from 'hsharness/vitest';

import { each } from './buy.mjs';

/** The tests of one file, some at the same time. */
export function many(suite, count) {
  describe(suite, () => {
    for (let i = 0; i < count; i++) {
      const of = i % 2 ? test.concurrent : test;
      of(`product ${i}`, async ({ hsharness }) => {
        expect(await each(hsharness, `cotton shirt ${suite} ${i}`)).toBe('503 401 200');
      });
    }
  });
}
