'use strict';
// The command behind the guard that a test process starts by itself: it says where
// the guard is, and ends when the test process does, however that ends, for then
// its standard input does.

const { HSHARNESS_CONTROL_URL, HSHARNESS_CONTROL_TOKEN, HSHARNESS_RUN_ID, HSHARNESS_EXEC_ENV } = process.env;
const end = () => process.exit(0);
process.stdout.on('error', end);
process.stdin.on('end', end).on('error', end).resume();
process.stdout.write(`${JSON.stringify({ url: HSHARNESS_CONTROL_URL, token: HSHARNESS_CONTROL_TOKEN, run: HSHARNESS_RUN_ID, names: HSHARNESS_EXEC_ENV })}\n`);
