import { existsSync, writeFileSync } from 'node:fs';

/** Says that a test has begun, waits until it may go on, and swallows what comes of a
 * request. */
export async function hold(h, classify) {
  writeFileSync('begun', String(process.pid));
  while (!existsSync('go')) await new Promise((resolve) => setTimeout(resolve, 20));
  await h.token().then((token) => classify(h, 'cotton shirt', token)).catch(() => {});
}
