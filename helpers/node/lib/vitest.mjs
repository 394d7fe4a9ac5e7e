import path from 'node:path';
import { test as base } from 'vitest';

import hsharness from './index.cjs';

export * from 'vitest';
export const { start, Harness, HsharnessError } = hsharness;

/** The test of vitest with a client of its own: test('…', async ({ hsharness }) => …).
 * What start() takes is the fixture hsharnessOptions. */
export const test = base.extend({
  hsharnessOptions: {},
  hsharness: async ({ task, hsharnessOptions }, use) => {
    const harness = await start({ test: names(task), file: task.file?.filepath, runner: 'vitest', ...hsharnessOptions });
    try {
      await use(harness);
    } finally {
      await harness.end();
    }
  },
});
export const it = test;

/** The names of a test and of the suites that it is in. */
function names(task) {
  const all = [task.name];
  for (let suite = task.suite; suite && suite !== task.file && suite.name; suite = suite.suite) all.unshift(suite.name);
  return all.join(' > ');
}
