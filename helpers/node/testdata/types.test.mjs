import assert from 'node:assert/strict';
import { test } from 'node:test';

import { here, run } from './stand.mjs';

test('the types are what the package does', async () => {
  const result = await run('node_modules/.bin/tsc', ['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022', '--lib', 'es2022,dom',
    '--types', 'node', '--module', 'nodenext', 'typed.mts'], { cwd: here });
  assert.equal(result.code, 0, result.out);
});
