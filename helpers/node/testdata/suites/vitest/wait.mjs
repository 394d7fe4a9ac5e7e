import { test } from 'hsharness/vitest';

import { classify } from './buy.mjs';
import { hold } from './hold.mjs';

test('a test', { timeout: 120_000 }, async ({ hsharness }) => {
  await hold(hsharness, classify);
});
