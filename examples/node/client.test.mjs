import assert from "node:assert/strict";
import test from "node:test";

import { code } from "./client.mjs";

test("a shirt is a garment", async () => {
  assert.match(await code("men's cotton t-shirt", "US"), /^6109/);
});

test("a laptop is a computer", async () => {
  assert.match(await code("laptop computer", "US"), /^8471/);
});
