// docs/node.md as written: its files are written, its commands typed.
import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { folder, here, program, root, run, sandbox } from './stand.mjs';

/** A page's blocks, in order. */
function readPage(name) {
  const text = readFileSync(path.join(root, name), 'utf8');
  return [...text.matchAll(/^```([a-z]*)\n(.*?)^```$/gms)].map(([, language, block]) => ({ language, block }));
}

const shop = `
async function code(h, description) {
  const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: h.clientId, client_secret: h.clientSecret, scope: 'hs-code-classification' });
  const { access_token: token } = await (await fetch(h.tokenUrl, { method: 'POST', body })).json();
  const headers = { 'Content-Type': 'application/json', Authorization: 'Bearer ' + token };
  const ask = () => fetch(h.apiUrl + '/hscode/classify', { method: 'POST', headers, body: JSON.stringify({ description, countryOfDestination: 'US' }) });
  let answer = await ask();
  if (answer.status === 503) answer = await ask();
  return (await answer.json()).hsCode;
}
`;

test('docs/node.md as written', async (t) => {
  const dir = folder(t);
  const stand = await sandbox(t, dir, 100);
  writeFileSync(path.join(dir, 'package.json'), '{ "private": true }');
  writeFileSync(path.join(dir, 'shop.mjs'), `${shop}export { code };\n`);
  writeFileSync(path.join(dir, 'shop.cjs'), `${shop}module.exports = { code };\n`);
  const bin = folder(t);
  cpSync(program, path.join(bin, 'hsharness'));
  const env = { ...stand.env, HSHARNESS_BIN: undefined, PATH: `${bin}${path.delimiter}${process.env.PATH}`, npm_config_offline: 'true' };
  let typed = 0;
  for (const { language, block } of readPage('docs/node.md')) {
    if (language === 'js') writeFileSync(path.join(dir, block.match(/^\/\/ (\S+)$/m)[1]), block);
    if (language !== 'sh') continue;
    for (const line of block.trim().split('\n')) {
      if (line.includes('go install') || line.includes('.tgz')) continue; // install.test.mjs does this
      if (line.startsWith('HSHARNESS_MODE=replay')) await types('hsharness exec --mode record --max-spend 20 -- node --test'); // the recordings that it needs
      await types(line);
      if (line.startsWith('npm install')) { // the runners, which npm would fetch
        for (const name of readdirSync(path.join(here, 'node_modules'))) {
          if (name !== 'hsharness' && !name.startsWith('.')) symlinkSync(path.join(here, 'node_modules', name), path.join(dir, 'node_modules', name));
        }
        for (const name of ['vitest', 'jest']) symlinkSync(path.join(here, 'node_modules/.bin', name), path.join(dir, 'node_modules/.bin', name));
      }
    }
  }
  assert.equal(typed, 8 + 1);
  assert.equal(await stand.served(), 1, 'one product, bought once');

  async function types(line) {
    typed++;
    const result = await run('sh', ['-c', line.replaceAll('path/to/hsharness', root)], { cwd: dir, env });
    assert.equal(result.code, 0, `${line}\n${result.out}`);
  }
});
