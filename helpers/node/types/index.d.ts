/// <reference lib="esnext.disposable" />

/** How far a guard goes: the mock answers, recordings do, what is missing is bought, everything is. */
export type Mode = 'offline' | 'replay' | 'record' | 'live';

/** A price: the first that matches a request counts. */
export interface Operation {
  /** A method and a path, such as `POST /hscode/hints`. */
  match: string;
  /** Units a request, or an item where `items` says where these are. */
  cost: number;
  /** Where a body has its items, as a JSON pointer. */
  items?: string;
}

export interface Options {
  /** The name for spends, reports and messages. */
  test?: string;
  /** The most that the requests may cost together, in units; the one beyond it is refused. */
  max?: number;
  /** How far the test may go. Without it, as far as HSHARNESS_MODE says, or the `hsharness exec`
   * around the tests. */
  mode?: Mode;
  /** Prices that are dearer than the project's. */
  operations?: Operation[];
  /** The file of the test, for the command that runs it again. */
  file?: string;
  /** The runner, for the same. */
  runner?: 'vitest' | 'jest' | 'node-test';
}

/** The base URLs of one environment, and its token endpoint. */
export interface Urls {
  identityUrl: string;
  tokenUrl: string;
  apiUrl: string;
  legacyApiUrl: string;
  managedApiUrl: string;
}

/** Which calls are struck, and what happens to them; as the control endpoint takes it. */
export interface Fault {
  /** The endpoint: all of them without it. */
  on?: 'token' | 'discovery' | 'jwks' | 'api';
  client?: string;
  scope?: string;
  /** The numbers of the calls to strike, from 1. */
  nth?: number[];
  /** How many calls to strike. */
  times?: number;
  probability?: number;
  seed?: number;
  /** Strikes every call. A fault without nth, times, probability and always strikes once. */
  always?: boolean;
  /** Lets the call do its work, and spoils the answer. */
  after?: boolean;
  /** A time such as `200ms`. */
  latency?: string;
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  drop?: boolean;
  truncate?: number;
  malformed_json?: boolean;
  content_type?: string;
  token?: 'expired' | 'bad_signature' | 'unknown_kid' | 'wrong_issuer' | 'wrong_audience' | 'wrong_scope' | 'missing_expires_in';
}

/** What became of the requests to the APIs, and their price in units. */
export interface Tally {
  /** How many came, whatever became of them. */
  requests: number;
  mocked: number;
  /** The part of mocked that a replay let the mock answer, because it was never bought. */
  unbought: number;
  /** What buying them costs. */
  unboughtUnits: number;
  replayed: number;
  stale: number;
  bought: number;
  again: number;
  /** Answered by the guard itself. */
  refused: number;
  /** The part of refused for want of a recording. */
  missed: number;
  /** What buying them costs. */
  missedUnits: number;
  /** The part of refused beyond `max`. */
  capped: number;
  /** What the requests cost at the price list. */
  units: number;
  /** What was bought of it. */
  spent: number;
  resent: number;
}

/** A request that the identity services or the mock APIs were sent. */
export interface Request {
  seq: number;
  time: string;
  service: string;
  endpoint: string;
  method: string;
  path: string;
  query?: string;
  header?: Record<string, string[]>;
  body?: string;
  client?: string;
  status: number;
  [more: string]: unknown;
}

/** A token to be made, also a bad one. */
export interface Mint {
  environment?: 'sandbox' | 'production';
  client_id?: string;
  scopes?: string[];
  /** A time such as `5m`. */
  lifetime?: string;
  defect?: string;
}

export interface Ended {
  tally: Tally;
  verdict: string;
  reason: string;
}

/** What one test talks to: services, a clock, faults and counts of its own. */
export class Harness implements Urls {
  private constructor();
  readonly id: string;
  readonly test?: string;
  readonly mode: Mode;
  readonly max: number | null;
  readonly identityUrl: string;
  readonly tokenUrl: string;
  readonly apiUrl: string;
  readonly legacyApiUrl: string;
  readonly managedApiUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly controlUrl: string;
  /** The production environment, whose requests cost nothing. */
  readonly production: Urls;
  /** The variables by which a program finds all this. */
  readonly env: Record<string, string>;

  /** Fails unless the requests cost so many units at the price list, spent or not. */
  expectSpend(units: number): Promise<void>;
  /** Fails unless the guard saw so many requests, faulted and refused ones counted. */
  expectCalls(requests: number): Promise<void>;
  /** Says what the test costs at most, in units: more fails it at its end. */
  need(units: number): Promise<void>;
  /** Adds faults, in the order in which they are looked at. */
  fault(...faults: Array<Fault | Fault[]>): Promise<void>;
  clearFaults(): Promise<void>;
  /** Moves the clock that tokens expire by: `66m`, or milliseconds. */
  advance(time: string | number): Promise<Date>;
  /** The time by that clock. */
  now(): Promise<Date>;
  /** What the identity services and the mock APIs were sent, secrets masked. */
  requests(since?: number): Promise<Request[]>;
  tally(): Promise<Tally>;
  /** How many units may still be spent; null where nothing is. */
  left(): Promise<number | null>;
  /** A token, as the code under test would get it. */
  token(scope?: string, tokenUrl?: string): Promise<string>;
  /** Any token, also a bad one. */
  mint(token?: Mint): Promise<string>;
  /** Ends the client. It fails for a request that was refused, or that had no recording, also
   * where the code under test swallowed that. */
  end(): Promise<Ended>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What hsharness says of a test, or why it can't be asked. */
export class HsharnessError extends Error {
  readonly test?: string;
  readonly verdict?: string;
  readonly tally?: Tally;
  readonly status?: number;
  readonly field?: string;
}

/** Makes a client for one test; end() ends it. */
export function start(options?: Options): Promise<Harness>;
