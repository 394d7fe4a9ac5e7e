// Breaks what the package promises, one after the other, in a copy of it, and runs the
// test that has to notice: HSHARNESS_BIN=… node mutants.mjs [WORD …]. A test sees that
// each row applies.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const top = path.resolve(here, '../../..');

/** What is broken, the file, what stands there once, what stands there instead, the
 * file of the killer, and its test. */
export const rows = [
  ['a swallowed miss fails the test', 'lib/harness.cjs', 'if (ended.verdict)', 'if (false)', 'refused.test.mjs', 'node: a swallowed miss'],
  ['vitest ends the client of a test', 'lib/vitest.mjs', 'await harness.end()', 'null', 'refused.test.mjs', 'vitest: a swallowed miss'],
  ['jest ends the client of a test', 'lib/jest.cjs', "throw own;\n    }\n    await harness.end();", "throw own;\n    }", 'refused.test.mjs', 'jest: a swallowed miss'],
  ['inside an exec that says what buys it', 'lib/harness.cjs', 'tally.missedUnits > 0 && !this.#guard.joined', 'tally.missedUnits > 0', 'refused.test.mjs', 'node: a swallowed miss'],
  ['what need says is the most', 'lib/harness.cjs', 'ended.tally.units > this.#needed', 'false', 'harness.test.mjs', 'what does not hold'],
  ['expectSpend looks at the price', 'lib/harness.cjs', 't.units !== units', 'false', 'harness.test.mjs', 'what does not hold'],
  ['no option makes a test spend', 'lib/guard.cjs', "if (far === 'record' || far === 'live')", 'if (false)', 'harness.test.mjs', 'what can’t be had'],
  ['no other file is taken for the program that is named', 'lib/binary.cjs', 'if (!isFile(env.HSHARNESS_BIN))', 'if (false)', 'harness.test.mjs', 'what can’t be had'],
  ['a forgotten test is ended', 'lib/unended.cjs', "process.on('beforeExit', endAll);", '', 'harness.test.mjs', 'a test that nobody ended'],
  ['names of one’s own lead to the test’s services', 'lib/harness.cjs', '...named(this.#guard.names, env)', '', 'harness.test.mjs', 'names of one’s own'],
  ['a guard of one’s own hands its names on', 'lib/wait.cjs', ', names: HSHARNESS_EXEC_ENV', '', 'harness.test.mjs', 'names of one’s own'],
  ['npx ends as the program does', 'bin/hsharness.js', 'process.exit(code)', 'process.exit(0)', 'harness.test.mjs', 'npx hsharness is the program'],
  ['npx passes signals on', 'bin/hsharness.js', 'child.kill(signal)', 'null', 'harness.test.mjs', 'npx hsharness is the program'],
  ['npx that is killed leaves nothing', 'bin/hsharness.js', '[ "$line" = ended ] || kill -TERM "$1"', ':', 'harness.test.mjs', 'npx hsharness is killed'],
  ['a test after a guard that is gone starts another', 'lib/guard.cjs', 'guard.then((own) => own.over.then(forget), forget);', '', 'harness.test.mjs', 'a guard starts anew'],
  ['a killed guard is said', 'lib/guard.cjs', 'if (guard) guard.ended(how);', 'if (guard) {}', 'killed.test.mjs', 'node: the guard is killed'],
  ['tests end with a runner that is killed', 'lib/unended.cjs', 'isThere(runner) || orphaned()', 'true', 'killed.test.mjs', 'node: the runner is killed'],
  ['a guard ends with the process that started it', 'lib/wait.cjs', "process.stdin.on('end', end).on('error', end).resume();", 'setInterval(() => {}, 1000);', 'killed.test.mjs', 'node: the worker is killed'],
  ['tests without an exec touch no ledger', 'lib/guard.cjs', "'--ledger', 'none', ", '', 'counts.test.mjs', 'node: 20 tests'],
  ['spends carry the name of their test', 'lib/harness.cjs', '{ test, max, mode, operations }, answers.client);', '{ max, mode, operations }, answers.client);', 'counts.test.mjs', 'node: 20 tests'],
  ['an answer that does not come is waited for no longer', 'lib/wire.cjs', '}, deadline.ms);', '}, 60_000);', 'rubbish.test.mjs', 'an answer that never comes'],
  ['an answer that does not end is waited for no longer', 'lib/wire.cjs', 'status = response.statusCode;', 'status = response.statusCode; clearTimeout(timer);', 'rubbish.test.mjs', 'an answer that never comes'],
  ['a guard that is stopped does not stay', 'lib/guard.cjs', "if (stuck) this.child.kill('SIGKILL');", '', 'rubbish.test.mjs', 'a guard of one’s own that is stopped'],
  ['a program in the place of hsharness is said to be none', 'lib/guard.cjs', "return typeof where?.url === 'string' ? where : undefined;", 'return where;', 'rubbish.test.mjs', 'a program that is no hsharness is said: another’s JSON'],
  ['counts that did not come are not 0', 'lib/answer.cjs', 'const missing = want && lacking(value, want, []);', 'const missing = undefined;', 'rubbish.test.mjs', 'rubbish is said: counts that are none'],
  ['what is no JSON is said', 'lib/answer.cjs', "throw not('is no JSON');", 'throw new SyntaxError(text);', 'rubbish.test.mjs', 'rubbish is said: a page'],
  ['what came is shown without its secrets', 'lib/answer.cjs', "'$1***'", "'$&'", 'rubbish.test.mjs', 'rubbish is said: another’s JSON'],
  ['what came is shown without what a terminal obeys', 'lib/answer.cjs', '[\\p{C}', '[', 'rubbish.test.mjs', 'rubbish is said: a page'],
  ['jest keeps a test’s own error', 'lib/jest.cjs', 'throw own;', '', 'refused.test.mjs', 'jest: an error of the test’s own'],
  ['jest says a miss beside it', 'lib/jest.cjs', '(error) => process.stderr.write(`${error.message}\\n`)', '() => {}', 'refused.test.mjs', 'jest: an error of the test’s own'],
  ['the packages have the program', 'pack.mjs', "cpSync(built, path.join(dir, 'bin', program));", '', 'install.test.mjs', 'the packages that were built'],
];

function main(words) {
  if (!process.env.HSHARNESS_BIN) throw new Error('HSHARNESS_BIN is not set: make mutate');
  let lives = 0;
  const folder = mkdtempSync(path.join(tmpdir(), 'hsharness-mutants-'));
  try {
    const copy = path.join(folder, 'helpers/node');
    cpSync(path.join(here, '..'), copy, { recursive: true, verbatimSymlinks: true });
    for (const name of ['LICENSE', 'Makefile', 'docs']) symlinkSync(path.join(top, name), path.join(folder, name));
    const node = (...args) => spawnSync(process.execPath, args, { cwd: path.join(copy, 'testdata'), encoding: 'utf8', env: { ...process.env, MUTANTS_OF: folder } });
    for (const [breaks, file, old, now, killer, test] of rows) {
      if (words.length > 0 && !words.some((word) => [breaks, file, killer, test].some((text) => text.includes(word)))) continue;
      const place = path.join(copy, file);
      const text = readFileSync(place, 'utf8');
      writeFileSync(place, text.replace(old, () => now));
      node('prepare.mjs');
      const failed = node('--test', `--test-name-pattern=${test}`, killer).stdout.split('\n').some((line) => /^not ok \d+ - /.test(line) && line.includes(test));
      writeFileSync(place, text);
      leftOf(folder).forEach((pid) => process.kill(pid, 'SIGKILL'));
      lives += failed ? 0 : 1;
      console.log(`${failed ? 'killed' : 'NOT KILLED'} by ${killer}, ${test}: ${breaks}`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  process.exit(lives > 0 ? 1 : 0);
}

/** The processes that a broken package left behind. */
function leftOf(folder) {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`MUTANTS_OF=${folder}`);
    } catch {
      return false; // it has ended meanwhile
    }
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv.slice(2));
