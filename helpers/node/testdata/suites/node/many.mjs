import assert from 'node:assert/strict';
import { test } from 'node:test';
import { start } from 'hsharness/node-test';

import { each } from './buy.mjs';

test(part, { concurrency: true }, async (t) => {
  await Promise.all(Array.from({ length: 9 }, (_, i) => t.test(`product ${i}`, async (t) => {
    const h = await start(t, { max: 1 });
    assert.equal(await each(h, `cotton shirt ${part} ${i}`), '503 401 200');
  })));
});
test(`${part} alone`, async (t) => {
  assert.equal(await each(await start(t), `cotton shirt ${part}`), '503 401 200');
});
