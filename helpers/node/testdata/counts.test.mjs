// Tests of all runners, each with a fault and a clock of its own, count exactly in each
// mode. The sandbox's own count is the judge.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { program, project, run, sandbox } from './stand.mjs';

const suites = {
  vitest: {
    tests: 200,
    write(dir) {
      for (let i = 0; i < 4; i++) writeFileSync(path.join(dir, `part${i}.test.mjs`), `import { many } from './many.mjs';\nmany('part ${i}', 50);\n`);
    },
    command: ['node_modules/.bin/vitest', 'run', '--maxWorkers=2', '--minWorkers=2', '--reporter=dot'],
    passed: /Tests +200 passed/,
  },
  jest: {
    tests: 20,
    write(dir) {
      for (const part of ['a', 'b']) writeFileSync(path.join(dir, `${part}.test.cjs`), `const part = '${part}';\n${readFileSync(path.join(dir, 'many.cjs'))}`);
    },
    command: ['node_modules/.bin/jest', '--rootDir=.', '--testMatch=**/*.test.cjs', '--maxWorkers=2'],
    passed: /Tests: +20 passed/,
  },
  node: {
    tests: 20,
    write(dir) {
      for (const part of ['a', 'b']) writeFileSync(path.join(dir, `${part}.test.mjs`), `const part = '${part}';\n${readFileSync(path.join(dir, 'many.mjs'))}`);
    },
    command: ['node', '--test'],
    passed: /^# pass 22$/m, // two of which only hold others
  },
};

for (const [name, suite] of Object.entries(suites)) {
  test(`${name}: ${suite.tests} tests count exactly in offline, record and replay`, async (t) => {
    const dir = project(t, name);
    suite.write(dir);
    const stand = await sandbox(t, dir, 1000);
    const passes = async (command, env) => {
      const result = await run(command[0], command.slice(1), { cwd: dir, env: { ...stand.env, ...env } });
      assert.equal(result.code, 0, result.out);
      assert.match(result.out, suite.passed);
    };

    await passes(suite.command);
    assert.equal(await stand.served(), 0, 'offline');

    for (const spent of name === 'node' ? [suite.tests, 0] : [suite.tests]) { // the second time nothing is missing
      await passes([program, 'exec', '--bill', 'bill.json', '--mode', 'record', '--max-spend', '250', '--', ...suite.command]);
      assert.equal(await stand.served(), suite.tests, 'record');
      const bill = JSON.parse(readFileSync(path.join(dir, 'bill.json'), 'utf8'));
      assert.deepEqual([bill.spent, bill.spent + bill.replayed, bill.requests], [spent, suite.tests, 3 * suite.tests]);
    }

    await passes(suite.command, { HSHARNESS_MODE: 'replay' });
    assert.equal(await stand.served(), suite.tests, 'replay');
    assert.equal((await stand.status()).spent, suite.tests);
    await stand.hsharness('quota', 'verify');
    const entries = JSON.parse(await stand.hsharness('quota', 'history', '--limit', '0', '--format', 'json'));
    assert.equal(entries.filter(({ kind }) => kind === 'begin').length, name === 'node' ? 2 : 1, 'tests without an exec touch no ledger');
    assert.match(await stand.hsharness('report', '--by', 'test'), /product 1 /, 'each spend carries the name of its test');
  });
}
