// A guard that answers what no guard does, or never, fails a test with words that say
// where, which call, and what came.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { HsharnessError, start } from 'hsharness';

import { here, processes, until } from './stand.mjs';

const { deadline } = createRequire(import.meta.url)(path.join(here, 'node_modules/hsharness/lib/wire.cjs'));
delete process.env.HSHARNESS_MODE;

/** A guard around this process whose answers are those of handle, and where it does not
 * answer, good ones. */
async function around(t, handle) {
  const server = createServer((request, response) => {
    if (handle(request, response)) return;
    const at = `http://127.0.0.1:${server.address().port}`;
    const urls = { identity_url: at, token_url: `${at}/token`, api_url: at, legacy_api_url: at, managed_api_url: at };
    const tally = { requests: 0, units: 0 };
    response.end(JSON.stringify({
      'POST /clients': { id: 'one', mode: 'offline', max: null, client_id: 'id', client_secret: 'hush', control_url: at, sandbox: urls, production: urls },
      'DELETE /clients/one': { tally, verdict: '', reason: '' },
      'GET /tally': tally,
    }[`${request.method} ${request.url}`]));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}`;
  Object.assign(process.env, { HSHARNESS_CONTROL_URL: url, HSHARNESS_CONTROL_TOKEN: 'the-token' });
  t.after(() => {
    for (const name of ['HSHARNESS_CONTROL_URL', 'HSHARNESS_CONTROL_TOKEN']) delete process.env[name];
    server.closeAllConnections();
    server.close();
  });
  return url;
}

/** The error of one call of a client of its own, for what came to it. */
async function said(t, call, status, body, ask) {
  const url = await around(t, (request, response) => `${request.method} ${request.url}` === call && response.writeHead(status).end(body));
  const error = await start({ test: 'a test' }).then(async (h) => {
    const answer = await ask(h).then((value) => assert.fail(`no error, but ${JSON.stringify(value)}`), (error) => error);
    if (!call.startsWith('DELETE')) await h.end();
    return answer;
  }, (error) => error);
  assert.ok(error instanceof HsharnessError, error);
  assert.ok(error.message.startsWith(`hsharness: test "a test": ${call.replace(' ', ` ${url}`)}: status ${status}`), error.message);
  assert.equal(error.test, 'a test');
  return error.message;
}

const page = '<html>\u001b[31mWelcome</html>';
const clients = ['POST /clients', () => assert.fail('it started')];
const tally = ['GET /tally', (h) => h.expectSpend(0)];
const token = ['POST /token', (h) => h.token()];
const rubbish = [
  ['a page', ...clients, 200, page, 'its answer is no JSON: is it a control endpoint? It answered: <html>\\u{1b}[31mWelcome</html>'],
  ['nothing', ...clients, 200, '', 'its answer is empty: is it a control endpoint?'],
  ['null', ...clients, 200, 'null', 'its answer lacks id'],
  ['another’s JSON', ...clients, 200, '{"id":"x","mode":"offline","max":null,"client_id":"c","client_secret":"a-secret","control_url":"u","sandbox":"here"}', 'its answer lacks sandbox.identity_url: is it a control endpoint? It answered: {"id":"x","mode":"offline","max":null,"client_id":"c","client_secret":"***'],
  ['a failure that is null', ...clients, 500, 'null', ': is it a control endpoint? It answered: null'],
  ['a failure that is a page', ...clients, 502, page, ': is it a control endpoint? It answered: <html>'],
  ['an echo', ...clients, 404, 'Authorization: Bearer the-token', 'It answered: Authorization: Bearer ***'],
  ['a long text', ...clients, 200, 'x'.repeat(5000), `It answered: ${'x'.repeat(200)}… of 5000 bytes`],
  ['counts that are none', ...tally, 200, '{}', 'its answer lacks requests'],
  ['a clock without a time', 'GET /clock', (h) => h.now(), 200, '{"now":"soon"}', 'its answer lacks now'],
  ['requests that are none', 'GET /requests?since=0', (h) => h.requests(), 200, '{}', 'its answer is not what was asked for'],
  ['an amount that is none', 'GET /left', (h) => h.left(), 200, '{"left":"much"}', 'its answer lacks left'],
  ['no minted token', 'POST /tokens', (h) => h.mint(), 200, '{}', 'its answer lacks access_token'],
  ['an end without counts', 'DELETE /clients/one', (h) => h.end(), 200, '{"verdict":""}', 'its answer lacks tally.requests'],
  ['no token', ...token, 200, '{"token":"a-secret"}', 'its answer lacks access_token: is it a token endpoint? It answered: {"token":"***"}'],
  ['a token that is a page', ...token, 200, page, 'its answer is no JSON: is it a token endpoint?'],
];
for (const [name, call, ask, status, body, words] of rubbish) {
  test(`rubbish is said: ${name}`, async (t) => {
    const message = await said(t, call, status, body, ask);
    assert.ok(message.includes(words), message);
    assert.doesNotMatch(message, /a-secret|the-token/);
  });
}

/** Shortens the deadline for a test. */
function soon(t) {
  const { ms } = deadline;
  assert.equal(ms, 60_000);
  deadline.ms = 300;
  t.after(() => { deadline.ms = ms; });
}

test('an answer that never comes, or never ends, fails the test', { timeout: 20_000 }, async (t) => {
  const url = await around(t, (request, response) => {
    if (request.url === '/tally') {
      const drip = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(drip));
    }
    return request.url !== '/clients' && request.method !== 'DELETE';
  });
  const h = await start({ test: 'a test' });
  soon(t);
  const about = `hsharness: test "a test": the guard around this process does not answer, and what it counted can't be asked: start again: hsharness exec -- npm test`;
  await assert.rejects(h.now(), { name: 'HsharnessError', message: `${about} (GET ${url}/clock: no answer within 0.3 s)` });
  await assert.rejects(h.tally(), (error) => error.message.startsWith(`${about} (GET ${url}/tally: no whole answer within 0.3 s: status 200, and `));
  await assert.rejects(h.token(), { name: 'HsharnessError', message: `hsharness: test "a test": POST ${url}/token: no answer within 0.3 s` });
  deadline.ms = 60_000;
  await h.end();
});

/** A program in the place of hsharness that prints a text. */
async function printing(t, text) {
  const folder = await mkdtemp(path.join(tmpdir(), 'printing-'));
  const program = path.join(folder, 'hsharness');
  await writeFile(program, `#!${process.execPath}\nprocess.stdout.write(${JSON.stringify(text)});\nsetInterval(() => {}, 1000);\n`, { mode: 0o700 });
  const before = process.env.HSHARNESS_BIN;
  process.env.HSHARNESS_BIN = program;
  t.after(async () => {
    if (before === undefined) delete process.env.HSHARNESS_BIN;
    else process.env.HSHARNESS_BIN = before;
    await rm(folder, { recursive: true });
  });
  return program;
}
for (const [name, text, printed] of [
  ['a greeting', 'Welcome\u001b[2J to node\n', '"Welcome\\u001b[2J to node\\n"'],
  ['another’s JSON', '{"name":"x"}\nmore\n', '"{\\"name\\":\\"x\\"}\\nmore\\n"'],
  ['null', 'null\n', '"null\\n"'],
  ['a line without an end', 'x'.repeat(3 << 20), `"${'x'.repeat(200)}"`],
]) {
  test(`a program that is no hsharness is said: ${name}`, { timeout: 20_000, skip: process.platform === 'win32' }, async (t) => {
    const program = await printing(t, text);
    await assert.rejects(start({ test: 'a test', mode: 'replay' }), (error) => error instanceof HsharnessError &&
      error.message.includes(`${program} is no hsharness: where its guard is was to come, and it printed ${printed}`) || assert.fail(error));
    await until('its end', () => !processes().some((p) => p.words.includes(program)));
  });
}

test('a guard of one’s own that is stopped fails the test, and the next starts another', { timeout: 20_000 }, async (t) => {
  const h = await start({ test: 'a test' });
  const [guard] = processes().filter((p) => p.parent === process.pid && p.words.includes('exec'));
  process.kill(guard.pid, 'SIGSTOP');
  t.after(() => processes().some((p) => p.pid === guard.pid) && process.kill(guard.pid, 'SIGKILL'));
  soon(t);
  await assert.rejects(h.tally(), (error) => error.message.startsWith(
    `hsharness: test "a test": the guard of this test, process ${guard.pid}, does not answer and was killed\n  what it counted is lost, and nothing was spent: run the test again (GET ${h.controlUrl}/tally: no answer within 0.3 s)`) || assert.fail(error));
  await assert.rejects(h.end(), /was ended by SIGKILL/);
  await until('its end', () => !processes().some((p) => p.pid === guard.pid));
  deadline.ms = 60_000;
  const next = await start();
  assert.equal((await next.tally()).requests, 0);
  await next.end();
});
