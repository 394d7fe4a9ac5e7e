'use strict';

const { answers, read, shown } = require('./answer.cjs');
const { HsharnessError } = require('./error.cjs');
const { guardFor } = require('./guard.cjs');
const { rerun, buy } = require('./commands.cjs');
const { watch, forget } = require('./unended.cjs');
const { send } = require('./wire.cjs');

const optionNames = ['test', 'max', 'mode', 'operations', 'file', 'runner'];

/** Makes a client of the guard for one test; it ends with end(). */
async function start(options = {}) {
  for (const name of Object.keys(options)) {
    if (!optionNames.includes(name)) throw new HsharnessError(`start has no option ${name}: it has ${optionNames.join(', ')}`);
  }
  const { test, max, mode, operations } = options;
  let guard;
  try {
    guard = await guardFor(mode);
    guard.enter();
    const answer = await guard.call('POST', `${guard.url}/clients`, { test, max, mode, operations }, answers.client);
    const harness = new Harness(guard, answer, options);
    watch(harness);
    return harness;
  } catch (error) {
    guard?.leave();
    throw about(error, options);
  }
}

/** An error that says which test it is about. */
function about(error, { test }) {
  if (error instanceof HsharnessError && test && error.test === undefined) {
    error.message = error.message.replace('hsharness: ', `hsharness: test ${JSON.stringify(test)}: `);
    error.test = test;
  }
  return error;
}

/** The variables by names of one's own, for the services that others lead to. */
function named(texts, env) {
  const filled = Object.entries(JSON.parse(texts || '{}')).map(([name, text]) => [
    name,
    text.replace(/\{\{|\}\}|\{(\w+)\}/g, (all, placeholder) => (placeholder ? env[`HSHARNESS_${placeholder.toUpperCase()}`] : all[0])),
  ]);
  // A program that makes a client of its own has the same names for that.
  return texts ? { ...Object.fromEntries(filled), HSHARNESS_EXEC_ENV: texts } : {};
}

/** What one test talks to: services, clock, faults and counts of its own. */
class Harness {
  #guard;
  #options;
  #answer;
  #needed;
  #ended;
  #calls = new Set();

  constructor(guard, answer, options) {
    this.#guard = guard;
    this.#options = options;
    this.#answer = answer;
    this.id = answer.id;
    this.test = options.test;
    this.mode = answer.mode;
    this.max = answer.max;
    this.clientId = answer.client_id;
    this.clientSecret = answer.client_secret;
    this.controlUrl = answer.control_url;
    Object.assign(this, urls(answer.sandbox));
    /** The production environment, whose requests cost nothing. */
    this.production = urls(answer.production);
  }

  /** The variables by which a program finds these services. */
  get env() {
    const env = {
      HSHARNESS_IDENTITY_URL: this.identityUrl,
      HSHARNESS_TOKEN_URL: this.tokenUrl,
      HSHARNESS_API_URL: this.apiUrl,
      HSHARNESS_LEGACY_API_URL: this.legacyApiUrl,
      HSHARNESS_MANAGED_API_URL: this.managedApiUrl,
      HSHARNESS_CLIENT_ID: this.clientId,
      HSHARNESS_CLIENT_SECRET: this.clientSecret,
      HSHARNESS_CONTROL_URL: this.controlUrl,
      HSHARNESS_MODE: this.mode,
    };
    if (this.#guard.token) env.HSHARNESS_CONTROL_TOKEN = this.#guard.token;
    if (this.#guard.run) env.HSHARNESS_RUN_ID = this.#guard.run;
    return { ...env, ...named(this.#guard.names, env) };
  }

  /** Fails unless the requests cost so many units at the price list, spent or not. */
  async expectSpend(units) {
    const t = await this.tally();
    if (t.units !== units) throw this.#failure(`the requests cost ${t.units} units, want ${units} (${counts(t)})`);
  }

  /** Fails unless the guard saw so many requests, faulted and refused ones counted. */
  async expectCalls(requests) {
    const t = await this.tally();
    if (t.requests !== requests) throw this.#failure(`the guard saw ${t.requests} requests, want ${requests} (${counts(t)})`);
  }

  /** Says what the test costs at most: it fails at its end when that was more, and at
   * once where every request is bought and the run has less left. */
  async need(units) {
    this.#needed = units;
    if (this.mode !== 'live') return;
    const left = await this.left();
    if (left !== null && left < units) {
      throw this.#failure(
        `it needs ${units} units and its run has ${left} left, so nothing was sent\n  next: repeat hsharness exec with a --max-spend that is larger by ${units - left}`,
        false,
      );
    }
  }

  /** Adds faults, in the order in which they are looked at. */
  async fault(...faults) {
    await this.#call('POST', '/faults', faults.flat());
  }

  /** Removes all faults. */
  async clearFaults() {
    await this.#call('DELETE', '/faults');
  }

  /** Moves the clock that tokens expire by: '66m', or milliseconds. It returns its time. */
  async advance(time) {
    return new Date((await this.#call('POST', '/clock', { advance: typeof time === 'number' ? `${time}ms` : time }, answers.clock)).now);
  }

  /** The time by that clock. */
  async now() {
    return new Date((await this.#call('GET', '/clock', undefined, answers.clock)).now);
  }

  /** What the identity services and the mock APIs were sent, secrets masked. */
  async requests(since = 0) {
    return this.#call('GET', `/requests?since=${since}`, undefined, answers.requests);
  }

  /** What became of the requests to the APIs, and their price. */
  async tally() {
    return tallied(await this.#call('GET', '/tally', undefined, answers.tally));
  }

  /** How many units may still be spent; null where nothing is. */
  async left() {
    return (await this.#call('GET', '/left', undefined, answers.left)).left;
  }

  /** A token of this client, as the code under test would get it. */
  async token(scope = 'hs-code-classification', url = this.tokenUrl) {
    const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: this.clientId, client_secret: this.clientSecret, scope }).toString();
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const answer = await send('POST', url, { headers, body }).catch((cause) => {
      throw about(new HsharnessError(cause.message, { cause }), this.#options);
    });
    if (answer.status !== 200) throw this.#failure(`the token endpoint answered ${answer.status}: ${shown(answer.text)}`, false);
    try {
      return read(`POST ${url}`, answer, answers.token, 'token').access_token;
    } catch (error) {
      throw about(error, this.#options);
    }
  }

  /** Any token, also a bad one: { scopes, defect, lifetime, client_id, environment }. */
  async mint(token = {}) {
    return (await this.#call('POST', '/tokens', token, answers.token)).access_token;
  }

  /** Ends the client. It fails for a request that was refused or had no recording, also
   * where the code under test swallowed it. A second call does nothing more. */
  end() {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  async #end() {
    forget(this);
    await Promise.allSettled(this.#calls); // an expectation that nobody waited for
    let answer;
    try {
      answer = await this.#guard.call('DELETE', `${this.#guard.url}/clients/${this.id}`, undefined, answers.ended);
    } catch (error) {
      throw about(error, this.#options);
    } finally {
      this.#guard.leave();
    }
    const ended = { tally: tallied(answer.tally), verdict: answer.verdict, reason: answer.reason };
    if (ended.verdict) throw this.#refused(ended);
    if (this.#needed !== undefined && ended.tally.units > this.#needed) {
      throw this.#failure(`the requests cost ${ended.tally.units} units, more than the ${this.#needed} that it needs at most (${counts(ended.tally)})`);
    }
    return ended;
  }

  #refused({ tally, verdict, reason }) {
    // Inside an exec that says what buys it, for all of its tests.
    const next = tally.missedUnits > 0 && !this.#guard.joined
      ? `\n  buy what is missing: ${buy(this.#guard.words, tally.missedUnits, this.#options)}`
      : `\n  run it again: ${rerun(this.#options)}`;
    return about(new HsharnessError(`${reason} (${counts(tally)})${next}`, { verdict, tally }), this.#options);
  }

  #failure(text, again = true) {
    return about(new HsharnessError(again ? `${text}\n  run it again: ${rerun(this.#options)}` : text), this.#options);
  }

  async #call(method, path, body, want) {
    const call = this.#guard.call(method, this.controlUrl + path, body, want);
    this.#calls.add(call);
    try {
      return await call;
    } catch (error) {
      throw about(error, this.#options);
    } finally {
      this.#calls.delete(call);
    }
  }
}

if (Symbol.asyncDispose) {
  Harness.prototype[Symbol.asyncDispose] = async function dispose() {
    await this.end();
  };
}

const urls = (u) => ({ identityUrl: u.identity_url, tokenUrl: u.token_url, apiUrl: u.api_url, legacyApiUrl: u.legacy_api_url, managedApiUrl: u.managed_api_url });

/** The counts of the control endpoint, those that it leaves out for 0 too. */
function tallied({ missed_units: missedUnits = 0, unbought_units: unboughtUnits = 0, ...counted }) {
  return { requests: 0, mocked: 0, unbought: 0, replayed: 0, stale: 0, bought: 0, again: 0, refused: 0, missed: 0, capped: 0, units: 0, spent: 0, resent: 0, ...counted, missedUnits, unboughtUnits };
}

/** The counts that are not 0, for a person. */
function counts(t) {
  const some = ['mocked', 'unbought', 'replayed', 'bought', 'refused', 'missed', 'capped', 'spent'].filter((name) => t[name]).map((name) => `${name} ${t[name]}`);
  return [`requests ${t.requests}`, ...some].join(', ');
}

module.exports = { start, Harness };
