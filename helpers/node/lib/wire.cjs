'use strict';
// Calls over HTTP on this machine. What a test replaces, such as fetch, timers and
// the functions of node:http, is not used: it is taken when this file is loaded.

const { request } = require('node:http');

/** Sends a body of text and reads the answer. */
function send(method, url, { headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const r = request(url, { method, agent: false, headers: body === undefined ? headers : { ...headers, 'Content-Length': Buffer.byteLength(body) } }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part)).on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode, text: Buffer.concat(parts).toString() }));
    });
    r.on('error', reject).end(body);
  });
}

module.exports = { send };
