'use strict';
// Tests that nobody ended: those whose end() was forgotten, and those whose runner
// was killed.

const { isMainThread } = require('node:worker_threads');
const { writeSync } = require('node:fs');
const { setInterval } = require('node:timers');

const open = new Set();
/** How often a test looks whether its runner is still there, in milliseconds. */
const lookTime = 500;
let watching = false;

/** Watches a harness until it is forgotten. */
function watch(harness) {
  open.add(harness);
  if (watching) return;
  watching = true;
  process.on('beforeExit', endAll);
  // A process that a runner started for its tests, which would go on without it. The
  // runners replace process.exit and what process emits, but not this.
  if (isMainThread && (process.send || process.env.NODE_TEST_CONTEXT)) {
    const runner = process.ppid;
    setInterval(() => isThere(runner) || orphaned(), lookTime).unref();
  }
}

/** Whether the process that started this one still is. What jest shows of a process
 * does not change, so it is asked for, too. */
function isThere(parent) {
  if (process.ppid !== parent) return false;
  try {
    return process.kill(parent, 0);
  } catch (error) {
    return error.code !== 'ESRCH';
  }
}

function forget(harness) {
  open.delete(harness);
}

/** Ends what was forgotten, so that what it missed is not passed over. */
async function endAll() {
  for (const harness of open) {
    try {
      await harness.end();
    } catch (error) {
      process.exitCode = 1;
      process.stderr.write(`${error.message}\n`);
    }
  }
}

/** The runner is gone: nobody waits for these tests. */
function orphaned() {
  if (open.size === 0) return;
  const names = [...open].map((harness) => harness.test ?? 'without a name').join(', ');
  try {
    writeSync(2, `hsharness: the test runner is gone, and its tests end with it: ${names}\n`);
  } catch {
    // So is what it wrote to.
  }
  process.kill(process.pid, 'SIGKILL');
}

module.exports = { watch, forget };
