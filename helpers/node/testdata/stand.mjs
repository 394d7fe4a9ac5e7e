// A sandbox of our own that counts what it serves, a project that may use it, and the
// runners of its tests.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const here = path.dirname(fileURLToPath(import.meta.url));
export const root = path.resolve(here, '../../..');
export const program = process.env.HSHARNESS_BIN;
if (!program) throw new Error('HSHARNESS_BIN is not set: make helpers');

const secret = 'the-real-license-key';

/** Runs a command to its end: its exit code, or the signal, and all that it printed. */
export function run(command, args, { cwd, env } = {}) {
  return new Promise((resolve, reject) => {
    execFile(command, args, { cwd, env: environ(env), maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (error && typeof error.code === 'string') return reject(error);
      resolve({ code: error ? (error.code ?? error.signal) : 0, stdout, stderr, out: stdout + stderr });
    });
  });
}

/** This process's environment without what a runner of tests tells its tests. */
export function environ(env = {}) {
  const all = { ...process.env, CI: '', NO_COLOR: '1', ...env };
  for (const name of ['NODE_TEST_CONTEXT', 'NODE_OPTIONS', 'FORCE_COLOR']) delete all[name];
  for (const [name, value] of Object.entries(all)) if (value === undefined) delete all[name];
  return all;
}

/** A folder that goes with the test. */
export function folder(t) {
  const dir = mkdtempSync(path.join(tmpdir(), 'hsharness-node-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** A folder in which the runners and this package are installed, with the files of a
 * suite in it. */
export function project(t, suite) {
  const dir = folder(t);
  symlinkSync(path.join(here, 'node_modules'), path.join(dir, 'node_modules'));
  cpSync(path.join(here, 'suites', suite), dir, { recursive: true });
  for (const [name, functions] of [['buy', 'classify, each'], ['hold', 'hold']]) {
    const text = readFileSync(path.join(here, 'suites', `${name}.mjs`), 'utf8');
    writeFileSync(path.join(dir, `${name}.mjs`), text);
    const required = text.replaceAll('export ', '').replace(/^import (.*) from '(.*)';$/m, "const $1 = require('$2');");
    writeFileSync(path.join(dir, `${name}.cjs`), `${required}\nmodule.exports = { ${functions} };\n`);
  }
  writeFileSync(path.join(dir, 'package.json'), '{}');
  return dir;
}

/** Serves a sandbox, and makes a folder the project that may use it. */
export async function sandbox(t, dir, granted) {
  const at = ['--identity-addr', '127.0.0.1:0', '--api-addr', '127.0.0.1:0', '--control-addr', '127.0.0.1:0'];
  const server = spawn(program, ['serve', ...at, '--client', `real-id:${secret}`, '--sandbox-allowance', String(granted)], { stdio: ['ignore', 'pipe', 'inherit'], env: environ() });
  t.after(async () => {
    server.kill();
    await once(server, 'exit');
  });
  const [line] = await once(createInterface(server.stdout), 'line');
  const ends = JSON.parse(line);
  const { identity_url: identity, api_url: api } = ends.sandbox;
  writeFileSync(
    path.join(dir, 'hsharness.yaml'),
    `version: 1\nenvironments: { sandbox: { identity_url: "${identity}", api_url: "${api}", client_id: real-id, client_secret: "\${REAL_SECRET}" } }\n`,
  );
  const env = { REAL_SECRET: secret, XDG_STATE_HOME: dir };
  const hsharness = async (...args) => {
    const result = await run(program, args, { cwd: dir, env });
    if (result.code !== 0) throw new Error(`hsharness ${args.join(' ')}: ${result.code}\n${result.out}`);
    return result.stdout;
  };
  await hsharness('quota', 'init', '--granted', String(granted));
  return {
    env,
    hsharness,
    served: async () => (await (await fetch(`${ends.control_url}/usage`)).json()).sandbox.served,
    status: async () => JSON.parse(await hsharness('quota', 'status', '--format', 'json')),
  };
}

/** The processes of this machine that are no zombies. */
export function processes() {
  const all = [];
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const [state, parent] = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      if (state !== 'Z' && state !== 'X') all.push({ pid: Number(pid), parent: Number(parent), words });
    } catch {
      // It has ended meanwhile.
    }
  }
  return all;
}

/** A process and all that it started. */
export function tree(pid) {
  const all = processes();
  const found = all.filter((p) => p.pid === pid);
  for (const one of found) found.push(...all.filter((p) => p.parent === one.pid));
  return found;
}

/** Waits until something holds. */
export async function until(what, holds) {
  for (const end = Date.now() + 60_000; ; ) {
    if (await holds()) return;
    if (Date.now() > end) throw new Error(`${what}: not within a minute`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
