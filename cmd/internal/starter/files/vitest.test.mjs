// How a test gets everything it needs in one call. Move it to the tests of your client.
import { expect, test } from 'hsharness/vitest';

test('a shirt is a garment', async ({ hsharness }) => {
  await hsharness.need(1);
  // From here on it is what your own code does: a request with a token.
  const response = await fetch(`${hsharness.apiUrl}/hscode/classify`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${await hsharness.token()}` },
    body: JSON.stringify({ description: "men's cotton t-shirt", countryOfDestination: 'US' }),
  });
  expect(response.status).toBe(200);
  expect((await response.json()).hsCode).toMatch(/^6109/);
  await hsharness.expectSpend(1);
});
