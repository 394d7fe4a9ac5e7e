'use strict';
// Calls over HTTP on this machine. What a test replaces, such as fetch, timers and
// the functions of node:http, is not used: it is taken when this file is loaded.

const { request } = require('node:http');
const { setTimeout, clearTimeout } = require('node:timers');

/** How long an answer may take, its last byte included. */
const deadline = { ms: 60_000 };

/** Sends a body of text and reads the answer. Its error says which call it was, and has
 * `late` where the answer was not there in time. */
function send(method, url, { headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const parts = [];
    let status;
    const fail = (cause) => {
      clearTimeout(timer);
      reject(Object.assign(new Error(`${method} ${url}: ${cause.message || cause.code}`, { cause }), { late: cause.late }));
    };
    const r = request(url, { method, agent: false, headers: body === undefined ? headers : { ...headers, 'Content-Length': Buffer.byteLength(body) } }, (response) => {
      status = response.statusCode;
      response.on('data', (part) => parts.push(part)).on('error', fail);
      response.on('end', () => {
        clearTimeout(timer);
        resolve({ status, text: Buffer.concat(parts).toString() });
      });
    });
    const timer = setTimeout(() => {
      const seconds = deadline.ms / 1000;
      const came = Buffer.concat(parts).length;
      const text = status === undefined ? `no answer within ${seconds} s` : `no whole answer within ${seconds} s: status ${status}, and ${came} bytes came`;
      fail(Object.assign(new Error(text), { late: true }));
      r.destroy();
    }, deadline.ms);
    r.on('error', fail).end(body);
  });
}

module.exports = { send, deadline };
