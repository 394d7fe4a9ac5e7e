'use strict';

const { Harness, start: startAny } = require('./harness.cjs');
const { HsharnessError } = require('./error.cjs');

/** Makes a client for a test of node:test, which ends with the test. */
async function start(t, options = {}) {
  const harness = await startAny({ test: names(t), file: t.filePath ?? process.argv[1], runner: 'node-test', ...options });
  t.after(async () => {
    try {
      await harness.end();
    } catch (error) {
      // Where the test failed before, this is all that is shown of it.
      for (const line of error.message.split('\n')) t.diagnostic(line);
      throw error;
    }
  });
  return harness;
}

/** The names of a test and of those that it is in. */
const names = (t) => (t.fullName ?? t.name).replaceAll('\n', ' ');

module.exports = { start, Harness, HsharnessError };
