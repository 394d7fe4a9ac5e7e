// Whoever is killed, no process stays behind, and it is said why the test failed.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { environ, processes, project, tree, until } from './stand.mjs';
import { runners } from './runners.mjs';

const killed = {
  runner: { choose: (all) => all[0], says: { vitest: /^/, jest: /^/, node: /^/ } }, // the shell says it
  worker: {
    choose: (all) => all.find((p) => p.pid === guardOf(all).parent),
    says: { vitest: /Worker|exited unexpectedly/, jest: /SIGKILL/, node: /SIGKILL/ },
  },
  guard: { choose: (all) => guardOf(all), says: /test "a test": the guard of this test, process \d+, was ended by SIGKILL\s+(# )?what it counted is lost, and nothing was spent: run the test again/ },
};

const guardOf = (all) => all.find((p) => p.words.includes('exec') && p.words.includes('--quiet'));

for (const [name, runner] of Object.entries(runners)) {
  for (const [whom, { choose, says }] of Object.entries(killed)) {
    test(`${name}: the ${whom} is killed`, async (t) => {
      const dir = project(t, name);
      renameSync(path.join(dir, runner.suite), path.join(dir, runner.file));
      if (runner.more) writeFileSync(path.join(dir, `more.${runner.file}`), runner.more);
      const child = spawn(runner.command[0], runner.command.slice(1), { cwd: dir, env: environ(), stdio: ['ignore', 'pipe', 'pipe'] });
      t.after(() => tree(child.pid).forEach((p) => process.kill(p.pid, 'SIGKILL'))); // where the test fails
      let out = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => { out += part; });
      const exit = once(child, 'close');
      await until('the test begins', () => existsSync(path.join(dir, 'begun')));
      const all = tree(child.pid);
      assert.ok(guardOf(all), JSON.stringify(all));
      process.kill(choose(all).pid, 'SIGKILL');
      if (whom === 'guard') writeFileSync(path.join(dir, 'go'), '');
      const [code] = await exit;
      assert.notEqual(code, 0, out);
      assert.match(out, says[name] ?? says);
      const pids = new Set(all.map((p) => p.pid));
      await until('no process stays', () => !processes().some((p) => pids.has(p.pid)))
        .catch((error) => assert.fail(`${error.message}: ${JSON.stringify(processes().filter((p) => pids.has(p.pid)))}`));
    });
  }
}
