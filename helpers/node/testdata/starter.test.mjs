// What hsharness init writes for a project with vitest or jest passes as it is, by the
// command that init prints. make firstminute does it for node's own runner.
import assert from 'node:assert/strict';
import { symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { folder, here, program, run } from './stand.mjs';

const projects = {
  vitest: { manifest: { devDependencies: { vitest: '*' } }, passed: /Tests +1 passed/ },
  jest: { manifest: { devDependencies: { jest: '*' } }, passed: /Tests: +1 passed/ },
  'jest in ES modules': { manifest: { type: 'module', devDependencies: { jest: '*' } }, passed: /Tests: +1 passed/ },
};

test('what init writes passes as it is', { concurrency: 2 }, async (all) => {
  await Promise.all(Object.entries(projects).map(([name, { manifest, passed }]) => all.test(name, async (t) => {
    const dir = folder(t);
    writeFileSync(path.join(dir, 'package.json'), JSON.stringify({ name: 'shop', ...manifest }));
    const init = await run(program, ['init', '--format', 'json'], { cwd: dir });
    assert.equal(init.code, 0, init.out);
    const { next } = JSON.parse(init.stdout);
    symlinkSync(path.join(here, 'node_modules'), path.join(dir, 'node_modules')); // what npm install would do
    assert.equal(next.length, 2, init.stdout);
    const [words] = next.slice(1);
    const result = await run(words[0], words.slice(1), { cwd: dir, env: { npm_config_offline: 'true' } });
    assert.equal(result.code, 0, result.out);
    assert.match(result.out, passed);
  })));
});
