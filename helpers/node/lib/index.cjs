'use strict';

const { HsharnessError } = require('./error.cjs');
const { Harness, start } = require('./harness.cjs');

module.exports = { start, Harness, HsharnessError };
