import { test } from 'node:test';
import { start } from 'hsharness/node-test';

import { classify } from './buy.mjs';
import { hold } from './hold.mjs';

test('a test', async (t) => {
  const h = await start(t);
  await hold(h, classify);
});
