const hsharness = require('hsharness/jest');
const { each } = require('./buy.cjs');

describe('hooks', () => {
  const h = hsharness.each({ max: 1 });
  for (let i = 0; i < 5; i++) {
    test(`product ${i}`, async () => {
      expect(await each(h, `cotton shirt ${part} hooks ${i}`)).toBe('503 401 200');
    });
  }
});

describe('wrapped', () => {
  for (let i = 0; i < 5; i++) {
    hsharness.test.concurrent(`product ${i}`, async (h) => {
      expect(await each(h, `cotton shirt ${part} wrapped ${i}`)).toBe('503 401 200');
    }, { max: 1 });
  }
});
