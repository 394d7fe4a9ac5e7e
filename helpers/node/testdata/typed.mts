// What the types say, tried by the compiler.
import { test as nodeTest } from 'node:test';
import { start, HsharnessError, type Fault, type Tally } from 'hsharness';
import * as jest from 'hsharness/jest';
import { start as startOf } from 'hsharness/node-test';
import { expect, test } from 'hsharness/vitest';

const slow: Fault = { on: 'api', latency: '200ms', times: 2 };

nodeTest('plain', async (t) => {
  await using h = await start({ test: t.name, max: 3, mode: 'replay' });
  const urls: string[] = [h.identityUrl, h.tokenUrl, h.apiUrl, h.legacyApiUrl, h.managedApiUrl, h.production.apiUrl, h.controlUrl];
  await h.need(urls.length);
  await h.fault(slow, [{ on: 'token', token: 'expired' }]);
  const at: Date = await h.advance('66m');
  const tally: Tally = await h.tally();
  const left: number | null = await h.left();
  const paths: string[] = (await h.requests()).map((r) => r.path);
  const env: Record<string, string> = h.env;
  console.log(at, tally.units, tally.unbought + tally.unboughtUnits, left, paths, env, await h.token());
  const of = await startOf(t, { operations: [{ match: 'POST /hscode/hints', cost: 2 }] });
  await of.end().catch((error: unknown) => error instanceof HsharnessError && error.verdict);
  // @ts-expect-error there is no such mode
  await start({ mode: 'free' });
  // @ts-expect-error nor such an option
  await start({ maximum: 3 });
});

test('a fixture', async ({ hsharness }) => {
  await hsharness.expectSpend(1);
  expect(await hsharness.token()).toBeTypeOf('string');
});

test.extend({ hsharnessOptions: { max: 3 } })('less', async ({ hsharness }) => hsharness.expectCalls(0));

const h = jest.each({ max: 1 });
jest.test('wrapped', async (own) => own.expectCalls((await h.tally()).requests), { max: 2, timeout: 1000 });
