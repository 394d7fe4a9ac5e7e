// How a test gets everything it needs in one call. Move it to the tests of your client.
import assert from 'node:assert/strict';
import test from 'node:test';

import { start } from 'hsharness/node-test';

test('a shirt is a garment', async (t) => {
  const hsharness = await start(t);
  await hsharness.need(1);
  // From here on it is what your own code does: a request with a token.
  const response = await fetch(`${hsharness.apiUrl}/hscode/classify`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${await hsharness.token()}` },
    body: JSON.stringify({ description: "men's cotton t-shirt", countryOfDestination: 'US' }),
  });
  assert.equal(response.status, 200);
  assert.match((await response.json()).hsCode, /^6109/);
  await hsharness.expectSpend(1);
});
