// Inside of a seal the tests of all runners count as they do outside. The sandbox's own
// count is the judge.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { program, project, run, sandbox } from './stand.mjs';

const TESTS = 10;
const suites = {
  vitest: {
    write: (dir) => writeFileSync(path.join(dir, 'part.test.mjs'), `import { many } from './many.mjs';\nmany('part', ${TESTS});\n`),
    command: ['node_modules/.bin/vitest', 'run', '--reporter=dot'],
    passed: /Tests +10 passed/,
  },
  jest: {
    write: (dir) => writeFileSync(path.join(dir, 'part.test.cjs'), `const part = 'part';\n${readFileSync(path.join(dir, 'many.cjs'))}`),
    command: ['node_modules/.bin/jest', '--rootDir=.', '--testMatch=**/*.test.cjs'],
    passed: /Tests: +10 passed/,
  },
  node: {
    write: (dir) => writeFileSync(path.join(dir, 'part.test.mjs'), `const part = 'part';\n${readFileSync(path.join(dir, 'many.mjs'))}`),
    command: ['node', '--test'],
    passed: /^# pass 11$/m, // one of which only holds others
  },
};

const linux = process.platform === 'linux';
for (const [name, suite] of Object.entries(suites)) {
  test(`${name} inside of a seal: ${TESTS} tests count exactly in offline, record and replay`, { skip: linux ? false : 'only Linux has namespaces' }, async (t) => {
    const dir = project(t, name);
    suite.write(dir);
    const stand = await sandbox(t, dir, 100);
    const sealed = async (...mode) => {
      const result = await run(program, ['exec', '--sealed', '--bill', 'bill.json', ...mode, '--', ...suite.command], { cwd: dir, env: stand.env });
      assert.equal(result.code, 0, result.out);
      assert.match(result.out, suite.passed);
      const { seal, requests, spent, asked } = JSON.parse(readFileSync(path.join(dir, 'bill.json'), 'utf8'));
      return { seal, requests, spent, asked, served: await stand.served() };
    };
    const counts = { seal: 'sealed', requests: 3 * TESTS, asked: undefined };

    assert.deepEqual(await sealed(), { ...counts, spent: 0, served: 0 });
    // The second time nothing is missing.
    for (const spent of name === 'node' ? [TESTS, 0] : [TESTS]) assert.deepEqual(await sealed('--mode', 'record', '--max-spend', '20'), { ...counts, spent, served: TESTS });
    assert.deepEqual(await sealed('--mode', 'replay'), { ...counts, spent: 0, served: TESTS });
    assert.equal((await stand.status()).spent, TESTS);
    await stand.hsharness('quota', 'verify');
  });
}
