// What a test sees of its own client.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import path from 'node:path';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { HsharnessError, start } from 'hsharness';

import { environ, folder, here, processes, program, project, run, tree, until } from './stand.mjs';
import { classify, each } from './suites/buy.mjs';

delete process.env.HSHARNESS_MODE;
const of = async (t, options) => {
  const h = await start({ test: t.name, ...options });
  t.after(() => h.end().catch(() => {}));
  return h;
};
const message = (text) => (error) => error instanceof HsharnessError && error.message.startsWith(text) || assert.fail(error);

test('services, clock and faults are a client’s own', async (t) => {
  const [one, other] = await Promise.all([of(t), of(t, { max: 1 })]);
  assert.equal(await each(one, 'cotton shirt'), '503 401 200');
  assert.equal(await classify(other, 'cotton shirt', await other.token()), 200);
  assert.ok((await one.now()) - (await other.now()) > 65 * 60_000);
  await one.advance(-66 * 60_000);
  assert.equal((await one.requests()).length, 3, 'two tokens and what reached the API');
  const all = [one, other].flatMap((h) => [h.identityUrl, h.apiUrl, h.legacyApiUrl, h.managedApiUrl, h.controlUrl, h.production.identityUrl, h.production.apiUrl, h.clientSecret]);
  assert.equal(new Set(all).size, 16);
  assert.equal(one.env.HSHARNESS_API_URL, one.apiUrl);
  assert.deepEqual([one.mode, one.max, other.max, await one.left()], ['offline', null, 1, null]);
  await one.fault({ on: 'api', status: 500 }, { on: 'token', drop: true });
  await one.clearFaults();
  assert.equal(await classify(one, 'cotton shirt', await one.mint({ scopes: ['hs-code-classification'], defect: 'expired' })), 401);
  const { tally, verdict } = await one.end();
  assert.deepEqual([tally.requests, tally.units, tally.missedUnits, verdict], [4, 1, 0, '']);
  assert.equal(await one.end(), await one.end(), 'ended once');
});

test('what does not hold is said with the name, the numbers and the next command', async (t) => {
  const h = await of(t, { max: 1, runner: 'vitest', file: path.resolve('it’s.test.mjs') });
  await h.need(0);
  const token = await h.token();
  await classify(h, 'cotton shirt', token);
  await assert.rejects(h.expectSpend(3), message(
    `hsharness: test ${JSON.stringify(t.name)}: the requests cost 1 units, want 3 (requests 1, mocked 1)\n  run it again: npx vitest run 'it’s.test.mjs' -t 'what does not hold`));
  await assert.rejects(h.expectCalls(2), message(`hsharness: test ${JSON.stringify(t.name)}: the guard saw 1 requests, want 2 (requests 1, mocked 1)`));
  await assert.rejects(h.fault({ on: 'api' }), message(`hsharness: test ${JSON.stringify(t.name)}: fault 1: a fault must do something`));
  await assert.rejects(h.advance('soon'), /advance/);
  await assert.rejects(h.token('nothing'), /the token endpoint answered 400: .*invalid_scope/);
  const needy = await of(t);
  await needy.need(0);
  await classify(needy, 'cotton shirt', await needy.token());
  await assert.rejects(needy.end(), /the requests cost 1 units, more than the 0 that it needs at most/);
  assert.equal(await classify(h, 'cotton shirt', token), 424);
  await assert.rejects(h.end(), /1 of at most 1 units are used: a request of 1 is not sent \(requests 2, mocked 1, refused 1, capped 1\)\n {2}run it again/);
});

test('what can’t be had is an error', async (t) => {
  await assert.rejects(start({ tset: 'x' }), /start has no option tset: it has test, max/);
  await assert.rejects(start({ test: 'x', max: -1 }), message('hsharness: test "x": max: -1 is below zero'));
  await assert.rejects(start({ mode: 'live' }), /tests spend only inside hsharness exec, and the mode live does: hsharness exec --mode live --max-spend N/);
  const nowhere = folder(t);
  const script = path.join(here, 'node_modules/hsharness/bin/hsharness.js');
  const none = await run(process.execPath, [script, 'version'], { env: { HSHARNESS_BIN: undefined, PATH: path.join(here, 'node_modules/.bin') } });
  assert.equal(none.code, 2);
  assert.match(none.out, /^hsharness: the program hsharness was not found: not in HSHARNESS_BIN, which is not set, not in the package @hsharness\/\S+, and not in PATH\n {2}get it: go install/);
  const wrong = await run(process.execPath, [script, 'version'], { env: { HSHARNESS_BIN: path.join(nowhere, 'x') } });
  assert.match(wrong.out, /HSHARNESS_BIN is .*, where no program is/);
});

test('a test that nobody ended is ended, and what it missed counts', async (t) => {
  const dir = project(t, 'node');
  writeFileSync(path.join(dir, 'forgets.cjs'), `
    const { start } = require('hsharness');
    const { classify } = require('./buy.cjs');
    start({ test: 'forgets', mode: 'replay' }).then(async (h) => classify(h, 'cotton shirt', await h.token()));
  `);
  const result = await run('node', ['forgets.cjs'], { cwd: dir });
  assert.equal(result.code, 1, result.out);
  assert.match(result.out, /test "forgets": no recording of this POST/);
});

test('names of one’s own lead to the test’s services', async (t) => {
  const dir = project(t, 'node');
  writeFileSync(path.join(dir, 'hsharness.yaml'), 'version: 1\nexec: { env: { SHOP_URL: "{api_url}/{{v1}}", SHOP_AUTH: "{client_id}:{client_secret}" } }\n');
  writeFileSync(path.join(dir, 'names.test.mjs'), `
    import assert from 'node:assert/strict';
    import { test } from 'node:test';
    import { start } from 'hsharness/node-test';
    test('names', async (t) => {
      const h = await start(t);
      assert.deepEqual([h.env.SHOP_URL, h.env.SHOP_AUTH], [h.apiUrl + '/{v1}', h.clientId + ':' + h.clientSecret]);
      assert.ok(JSON.parse(h.env.HSHARNESS_EXEC_ENV).SHOP_URL, 'for what a program inside starts');
    });
  `);
  for (const around of [[], [program, 'exec', '--env', 'SHOP_AUTH={client_id}:{client_secret}', '--']]) {
    const words = [...around, 'node', '--test', 'names.test.mjs'];
    const result = await run(words[0], words.slice(1), { cwd: dir });
    assert.equal(result.code, 0, result.out);
  }
});

test('await using ends a test', { skip: !Symbol.asyncDispose }, async () => {
  const h = await start();
  await h[Symbol.asyncDispose]();
  await assert.rejects(fetch(h.apiUrl));
});

test('npx hsharness is the program: arguments, exit code, signals', async (t) => {
  const script = createRequire(import.meta.url).resolve('hsharness/package.json').replace('package.json', 'bin/hsharness.js');
  const code = await run(process.execPath, [script, 'exec', '--quiet', '--', 'node', '-e', 'process.exit(9)']);
  assert.equal(code.code, 9, code.out);
  const child = spawn(process.execPath, [script, 'exec', '--quiet', '--', 'node', '-e', 'console.log("up"); setTimeout(() => {}, 60_000)'], { env: environ(), stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  const [ended] = await once(child, 'exit');
  assert.equal(ended, 143);
});

test('npx hsharness is killed, and nothing stays', async (t) => {
  const script = createRequire(import.meta.url).resolve('hsharness/package.json').replace('package.json', 'bin/hsharness.js');
  const child = spawn(process.execPath, [script, 'exec', '--quiet', '--', 'node', '-e', 'console.log("up"); setTimeout(() => {}, 600_000)'], { env: environ(), stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => all.filter((p) => processes().some((one) => one.pid === p.pid)).forEach((p) => process.kill(p.pid, 'SIGKILL')));
  await once(child.stdout, 'data');
  await until('the watcher', () => tree(child.pid).some((p) => p.words[0] === '/bin/sh'));
  const all = tree(child.pid);
  assert.ok(all.length >= 4, JSON.stringify(all));
  child.kill('SIGKILL');
  await until('no process stays', () => !processes().some((p) => all.some((one) => one.pid === p.pid)));
});

test('a guard starts anew for the next test, whatever became of the last', async (t) => {
  const h = await of(t);
  const guards = processes().filter((p) => p.parent === process.pid && p.words.includes('exec'));
  assert.ok(guards.length > 0);
  for (const guard of guards) process.kill(guard.pid, 'SIGKILL');
  await assert.rejects(h.expectSpend(0), /the guard of this test, process \d+, was ended by SIGKILL\n {2}what it counted is lost, and nothing was spent: run the test again/);
  await until('a new guard', async () => (await of(t)).end().then(() => true, () => false));
});
