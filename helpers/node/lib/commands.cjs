'use strict';
// The commands that a failed test advises.

const path = require('node:path');

/** The command that runs one test again. */
function rerun(options, env = process.env) {
  const prefix = env.HSHARNESS_MODE && !env.HSHARNESS_CONTROL_URL ? `HSHARNESS_MODE=${quote(env.HSHARNESS_MODE)} ` : '';
  return prefix + words(options, env).map(quote).join(' ');
}

/** The command that buys what one test missed, for so many units at most. */
function buy(program, units, options, env = process.env) {
  return [...program, 'exec', '--mode', 'record', '--max-spend', String(units), '--', ...words(options, env)].map(quote).join(' ');
}

function words({ runner, test, file }, env) {
  const where = file ? [relative(file)] : [];
  const name = test ? test.split(' > ').map(escape).join(' ') : '';
  switch (runner ?? runnerOf(env)) {
    case 'vitest':
      return ['npx', 'vitest', 'run', ...where, ...(name ? ['-t', name] : [])];
    case 'jest':
      return ['npx', 'jest', ...where, ...(name ? ['-t', name] : [])];
    case 'node-test':
      return ['node', '--test', ...(name ? [`--test-name-pattern=${name}`] : []), ...where];
    default:
      return ['npm', 'test'];
  }
}

/** The runner that this process belongs to, as far as its environment says. */
function runnerOf(env) {
  if (env.VITEST) return 'vitest';
  if (env.JEST_WORKER_ID) return 'jest';
  if (env.NODE_TEST_CONTEXT) return 'node-test';
  return undefined;
}

function relative(file) {
  const at = path.relative(process.cwd(), file);
  return at.startsWith('..') ? file : at;
}

/** A name as part of a regular expression, which is what the runners take. */
const escape = (name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** A word as a shell takes it. */
const quote = (word) => (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

module.exports = { rerun, buy };
