#!/usr/bin/env node
'use strict';
// npx hsharness ARGS: runs the program with them, passes signals on to it, and ends as
// it does. Where it is killed the program is ended too.

const { spawn } = require('node:child_process');

const { find } = require('../lib/binary.cjs');

let program;
try {
  program = find();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exit(2);
}
const child = spawn(program.file, process.argv.slice(2), { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) {
  process.on(signal, () => {
    // A terminal sends its signals to the program itself too.
    if ((signal === 'SIGINT' || signal === 'SIGQUIT') && process.stdin.isTTY) return;
    child.kill(signal);
  });
}

// Nobody can pass SIGKILL on, so a shell waits for the end of a pipe that this process
// alone writes to. Windows ends what a process started by itself.
let watcher;
if (child.pid && process.platform !== 'win32') {
  watcher = spawn('/bin/sh', ['-c', 'read -r line; [ "$line" = ended ] || kill -TERM "$1"', 'sh', String(child.pid)], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  for (const one of [watcher, watcher.stdin]) one.on('error', () => {}); // then it is as it would be without
  watcher.unref();
  watcher.stdin.unref?.();
}
child.on('error', (error) => {
  process.stderr.write(`hsharness: ${program.file} can't be started: ${error.message}\n`);
  process.exit(2);
});
child.on('exit', (code, signal) => {
  watcher?.stdin.write('ended\n', () => end(code, signal));
  if (!watcher) end(code, signal);
});

function end(code, signal) {
  if (signal) {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    return;
  }
  process.exit(code);
}
