'use strict';

/** What hsharness says of a test, or why it can't be asked. */
class HsharnessError extends Error {
  constructor(text, fields = {}) {
    super(`hsharness: ${text}`);
    this.name = 'HsharnessError';
    Object.assign(this, fields);
  }
}

module.exports = { HsharnessError };
