const { test } = require('hsharness/jest');

const { classify } = require('./buy.cjs');
const { hold } = require('./hold.cjs');

test('a test', async (h) => {
  await hold(h, classify);
}, { timeout: 120_000 });
