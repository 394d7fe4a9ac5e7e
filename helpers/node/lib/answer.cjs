'use strict';
// What is asked for has to be in an answer: an undefined or a 0 in its place would be
// taken for a fact.

const { HsharnessError } = require('./error.cjs');

const text = (value) => typeof value === 'string';
const number = (value) => typeof value === 'number';
const amount = (value) => value === null || number(value);
const urls = { identity_url: text, token_url: text, api_url: text, legacy_api_url: text, managed_api_url: text };
const tally = { requests: number, units: number };

/** What the answers to calls have, beside what tests make nothing of. */
const answers = {
  client: { id: text, mode: text, max: amount, client_id: text, client_secret: text, control_url: text, sandbox: urls, production: urls },
  ended: { tally, verdict: text, reason: text },
  tally,
  clock: { now: (value) => text(value) && !Number.isNaN(Date.parse(value)) },
  left: { left: amount },
  token: { access_token: text },
  requests: Array.isArray,
};

/** The JSON of the answer to a call. Without anything wanted it may be empty, too. */
function read(call, { status, text }, want, endpoint = 'control') {
  if (!text && !want) return undefined;
  const not = (what) => new HsharnessError(`${call}: status ${status}, and its answer ${what}: is it a ${endpoint} endpoint?${answered(text)}`, { status });
  if (!text) throw not('is empty');
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw not('is no JSON');
  }
  const missing = want && lacking(value, want, []);
  if (missing) throw not(missing.length > 0 ? `lacks ${missing.join('.')}` : 'is not what was asked for');
  return value;
}

/** The path of the first member that is not as wanted. */
function lacking(value, want, at) {
  if (typeof want === 'function') return want(value) ? undefined : at;
  for (const [name, inner] of Object.entries(want)) {
    const missing = lacking(value?.[name], inner, [...at, name]);
    if (missing) return missing;
  }
  return undefined;
}

/** The error for a status of 400 or more. */
function refusal(call, { status, text }) {
  let problem;
  try {
    problem = JSON.parse(text);
  } catch {
    // It is no guard.
  }
  if (typeof problem?.detail !== 'string') return new HsharnessError(`${call}: status ${status}: is it a control endpoint?${answered(text)}`, { status });
  const { detail, field } = problem;
  return new HsharnessError(field ? `${field}: ${detail}` : detail, { status, field });
}

const answered = (text) => (text ? ` It answered: ${shown(text)}` : '');

/** The beginning of what came, for a person: without secrets, and without what a
 * terminal obeys. */
function shown(text) {
  const open = text
    .slice(0, 4096)
    .replace(/("[^"]{0,40}(?:secret|token|password)"\s*:\s*")(?:[^"\\]|\\.)*/gi, '$1***')
    .replace(/\b(bearer|basic)(\s+)[^\s"]+/gi, '$1$2***');
  const begin = open.slice(0, 200).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (one) => `\\u{${one.codePointAt(0).toString(16)}}`);
  return open.length > 200 ? `${begin}… of ${Buffer.byteLength(text)} bytes` : begin;
}

module.exports = { answers, read, refusal, shown };
