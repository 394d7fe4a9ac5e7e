'use strict';

const { Harness, start } = require('./harness.cjs');
const { HsharnessError } = require('./error.cjs');
const { stopAll } = require('./guard.cjs');

/** jest's functions, also where injectGlobals is false. */
const runner = globalThis.beforeEach ? globalThis : require('@jest/globals');

/** Gives each test of the file, or of the describe block, a client of its own. What it
 * returns is that of the test under way. */
function each(options = {}) {
  let harness;
  runner.beforeEach(async () => {
    const { currentTestName: test, testPath: file } = runner.expect.getState();
    harness = await start({ test, file, runner: 'jest', ...options });
  });
  runner.afterEach(async () => {
    const ended = harness;
    harness = undefined;
    await ended?.end();
  });
  return new Proxy({}, {
    get(_, name) {
      if (!harness) throw new HsharnessError(`${String(name)} was asked for outside of a test`);
      const value = harness[name];
      return typeof value === 'function' ? value.bind(harness) : value;
    },
  });
}

/** A test of jest with a client of its own, for tests that run at the same time too:
 * test('…', async (hsharness) => …, { max: 3 }). */
function wrap(test) {
  return (name, run, { timeout, ...options } = {}) => test(name, async () => {
    const { testPath: file } = runner.expect.getState();
    const harness = await start({ test: name, file, runner: 'jest', ...options });
    try {
      await run(harness);
    } catch (own) {
      // jest shows one error, and this is the test's own.
      await harness.end().catch((error) => process.stderr.write(`${error.message}\n`));
      throw own;
    }
    await harness.end();
  }, timeout);
}

const test = Object.assign(wrap(runner.test), { only: wrap(runner.test.only), skip: wrap(runner.test.skip), concurrent: wrap(runner.test.concurrent) });

runner.afterAll(stopAll);

module.exports = { each, test, it: test, start, Harness, HsharnessError };
