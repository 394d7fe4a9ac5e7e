// A miss, and what goes beyond the maximum, fails the test, also where the code under
// test swallowed it, and says what to type next.
import assert from 'node:assert/strict';
import { renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { program, project, run } from './stand.mjs';
import { runners } from './runners.mjs';

for (const [name, runner] of Object.entries(runners)) {
  test(`${name}: a swallowed miss fails its test and says what buys it`, async (t) => {
    const dir = project(t, name);
    renameSync(path.join(dir, runner.suite), path.join(dir, runner.file));
    writeFileSync(path.join(dir, 'go'), '');
    const [command, ...args] = runner.command;
    const missed = await run(command, args, { cwd: dir, env: { HSHARNESS_MODE: 'replay' } });
    assert.notEqual(missed.code, 0, missed.out);
    assert.match(missed.out, /hsharness: test "a test": no recording of this POST \/hscode\/classify; buying it costs 1 \(requests 1, refused 1, missed 1\)/);
    assert.ok(missed.out.includes(`buy what is missing: hsharness exec --mode record --max-spend 1 -- ${runner.again}`), missed.out);

    if (name !== 'node') return;
    // Behind an exec that says it, once for all tests.
    const inside = await run(program, ['exec', '--mode', 'replay', '--', command, ...args], { cwd: dir });
    assert.equal(inside.code, 3, inside.out);
    assert.match(inside.out, /hsharness: test "a test": no recording of this POST[^]*run it again: /);
    assert.equal(inside.out.match(/buy what is missing/g).length, 1, inside.out);

    const passed = await run(command, args, { cwd: dir });
    assert.equal(passed.code, 0, passed.out);
  });
}

// A test that failed by itself after a miss that it swallowed.
const failing = {
  vitest: ["import { expect, test } from 'hsharness/vitest';\nimport { classify } from './buy.mjs';", 'async ({ hsharness: h })', ''],
  jest: ["const { test } = require('hsharness/jest');\nconst { classify } = require('./buy.cjs');", 'async (h)', ''],
  node: ["import { test } from 'node:test';\nimport { start } from 'hsharness/node-test';\nimport { classify } from './buy.mjs';", 'async (t)', 'const h = await start(t);'],
};
for (const [name, [imports, head, begin]] of Object.entries(failing)) {
  test(`${name}: an error of the test’s own is kept, and the miss is said beside it`, async (t) => {
    const dir = project(t, name);
    const { file, command: [command, ...args] } = runners[name];
    writeFileSync(path.join(dir, file), `${imports}
      test('a test', ${head} => {
        ${begin}
        await h.token().then((token) => classify(h, 'cotton shirt', token));
        throw new Error('the price is wrong');
      });
    `);
    const failed = await run(command, args, { cwd: dir, env: { HSHARNESS_MODE: 'replay' } });
    assert.notEqual(failed.code, 0, failed.out);
    assert.match(failed.out, /(?<!new Error\(')the price is wrong/); // the line of the file says it, too
    assert.match(failed.out, /test "a test": no recording of this POST \/hscode\/classify/);
  });
}
