'use strict';
// The guard that a test is a client of: that of the `hsharness exec` around this
// process, or one that this process starts, by the same command around a program
// that waits. It ends with this process, also where that is killed.

const { spawn } = require('node:child_process');
const { setTimeout, clearTimeout } = require('node:timers');
const path = require('node:path');

const { read, refusal } = require('./answer.cjs');
const { find } = require('./binary.cjs');
const { HsharnessError } = require('./error.cjs');
const { send } = require('./wire.cjs');

const startTime = 30_000;
/** How long its first line may be, in characters. */
const longestLine = 1 << 20;
/** How long a guard without clients waits for the next test, in milliseconds. */
const idleTime = 3_000;
/** How long the end of a process takes to be known once its sockets are closed. */
const endTime = 1_000;

/** The guards that this process started, by mode. */
const started = new Map();

/** The guard for a test that asks for a mode. */
async function guardFor(mode, env = process.env) {
  if (env.HSHARNESS_CONTROL_URL) {
    return new Guard({ url: env.HSHARNESS_CONTROL_URL, token: env.HSHARNESS_CONTROL_TOKEN, run: env.HSHARNESS_RUN_ID, names: env.HSHARNESS_EXEC_ENV });
  }
  const far = env.HSHARNESS_MODE || mode || 'offline';
  if (far === 'record' || far === 'live') {
    throw new HsharnessError(`tests spend only inside hsharness exec, and the mode ${far} does: hsharness exec --mode ${far} --max-spend N -- npm test`);
  }
  let guard = started.get(far);
  if (!guard) {
    guard = Own.start(far, env);
    started.set(far, guard);
    const forget = () => started.get(far) === guard && started.delete(far);
    guard.then((own) => own.over.then(forget), forget);
  }
  return guard;
}

/** A guard, by its control endpoint. */
class Guard {
  constructor({ url, token, run, names }) {
    this.url = url;
    this.token = token;
    this.run = run;
    /** The texts that exec --env and exec.env give variables by names of one's own, as JSON. */
    this.names = names;
    /** Whether somebody else started it. */
    this.joined = true;
    /** How its command is called. */
    this.words = ['hsharness'];
  }

  /** Calls a control endpoint: this one, or that of a client. What its answer has to have
   * is wanted. */
  async call(method, url, body, want) {
    const headers = this.token ? { Authorization: `Bearer ${this.token}` } : {};
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    let answer;
    try {
      answer = await send(method, url, { headers, body: body === undefined ? undefined : JSON.stringify(body) });
    } catch (cause) {
      throw new HsharnessError(`${await this.gone(cause.late)} (${cause.message})`, { cause });
    }
    if (answer.status >= 400) throw refusal(`${method} ${url}`, answer);
    return read(`${method} ${url}`, answer, want);
  }

  /** Why it does not answer, or not in time. */
  async gone(late) {
    return `the guard around this process ${late ? 'does not answer' : 'is gone'}, and what it counted can't be asked: start again: hsharness exec -- npm test`;
  }

  /** Counts one more client. */
  enter() {}
  /** Counts one less. */
  leave() {}
}

/** A guard that this process started. */
class Own extends Guard {
  static start(mode, env) {
    const { file, words } = find(env);
    return new Promise((resolve, reject) => {
      const child = spawn(file, ['exec', '--quiet', '--mode', mode, '--ledger', 'none', '--', process.execPath, path.join(__dirname, 'wait.cjs')], {
        env: environ(env),
        stdio: ['pipe', 'pipe', 'pipe'],
        windowsHide: true,
        // Ctrl-C is for the tests: they end, and this with them.
        detached: process.platform !== 'win32',
      });
      let out = '';
      let said = '';
      let guard;
      const late = setTimeout(() => {
        child.kill('SIGKILL');
        reject(new HsharnessError(`${file} did not start within ${startTime / 1000} s\n${said}`));
      }, startTime);
      child.on('error', (cause) => {
        clearTimeout(late);
        reject(new HsharnessError(`${file} can't be started: ${cause.message}`, { cause }));
      });
      child.stdin.on('error', () => {}); // it has ended: exit says how
      child.stderr.on('data', (part) => {
        said = (said + part).slice(-8192);
      });
      child.on('exit', (code, signal) => {
        clearTimeout(late);
        child.stdin.destroy(); // what waits behind it ends, too
        const how = `${signal ? `was ended by ${signal}` : `ended with exit code ${code}`}${said ? `\n${said.trimEnd()}` : ''}`;
        if (guard) guard.ended(how);
        else reject(new HsharnessError(`hsharness exec --mode ${mode} ${how}`));
      });
      child.stdout.on('data', (part) => {
        if (guard) return;
        out += part;
        if (!out.includes('\n') && out.length < longestLine) return;
        clearTimeout(late);
        const where = addresses(out.slice(0, longestLine).split('\n', 1)[0]);
        if (!where) {
          child.kill('SIGKILL');
          reject(new HsharnessError(`${file} is no hsharness: where its guard is was to come, and it printed ${JSON.stringify(out.slice(0, 200))}`));
          return;
        }
        // The tests are what this process waits for.
        for (const one of [child, child.stdin, child.stdout, child.stderr]) one.unref();
        guard = new Own(child, words, where);
        resolve(guard);
      });
    });
  }

  constructor(child, words, where) {
    super(where);
    this.joined = false;
    this.words = words;
    this.child = child;
    this.clients = 0;
    /** Settles when nobody may become its client any more. */
    this.over = new Promise((resolve) => {
      this.close = resolve;
    });
    /** How its process ended, in words. */
    this.how = new Promise((resolve) => {
      this.ended = resolve;
    });
    this.how.then(this.close);
  }

  async gone(stuck) {
    // Else it would stay, and each test after this one would wait for it, too.
    if (stuck) this.child.kill('SIGKILL');
    let late;
    const how = await Promise.race([
      stuck ? 'does not answer and was killed' : this.how,
      new Promise((resolve) => {
        late = setTimeout(resolve, endTime, 'does not answer');
      }),
    ]);
    clearTimeout(late);
    return `the guard of this test, process ${this.child.pid}, ${how}\n  what it counted is lost, and nothing was spent: run the test again`;
  }

  enter() {
    this.clients++;
    clearTimeout(this.idle);
  }

  leave() {
    if (--this.clients > 0) return;
    this.idle = setTimeout(() => this.stop(), idleTime);
    this.idle.unref();
  }

  /** Ends it: its standard input is what it waits for. */
  stop() {
    this.close();
    this.child.stdin.end();
  }
}

/** What a guard of one's own says of itself in its first line, undefined for anything else: a
 * program in its place may print what it likes. */
function addresses(line) {
  try {
    const where = JSON.parse(line);
    return typeof where?.url === 'string' ? where : undefined;
  } catch {
    return undefined;
  }
}

/** What the guard gets of this process's environment. */
function environ(env) {
  const all = { ...env };
  // The mode is typed, a bill is for one run alone, and the rest is for the programs
  // of this test process.
  for (const name of ['HSHARNESS_MODE', 'HSHARNESS_BILL', 'NODE_OPTIONS', 'NODE_TEST_CONTEXT', 'NODE_V8_COVERAGE']) delete all[name];
  return all;
}

/** Ends all guards that this process started. */
async function stopAll() {
  for (const guard of started.values()) (await guard).stop();
}

module.exports = { guardFor, stopAll };
