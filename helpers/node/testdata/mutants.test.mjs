// Each row of mutants.mjs applies to the package as it is.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { rows } from './mutants.mjs';
import { here } from './stand.mjs';

test('each row of mutants.mjs applies once', () => {
  for (const [breaks, file, old, , killer, name] of rows) {
    assert.equal(readFileSync(path.join(here, '..', file), 'utf8').split(old).length, 2, `${breaks}: what is to be broken stands once in ${file}`);
    const first = name.split(': ').pop().split(' ')[0]; // the names of some are made of parts
    assert.ok(readFileSync(path.join(here, killer), 'utf8').includes(name.includes(': ') ? first : `test('${name}`), `${breaks}: ${killer} has no test ${name}`);
  }
});
