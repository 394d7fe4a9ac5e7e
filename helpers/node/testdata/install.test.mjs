// The packages as make packages builds them, installed by npm in an empty project
// without a registry, and a test that runs with what is in them.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { folder, program, root, run } from './stand.mjs';

const arch = { x64: 'amd64', arm64: 'arm64' }[process.arch];
const system = `${process.platform}/${arch}`;

test('the packages that were built are installed and run', async (t) => {
  const dir = folder(t);
  const pack = async (put, out) => {
    const programs = path.join(dir, `programs of ${out}`);
    mkdirSync(path.join(programs, system), { recursive: true });
    put(path.join(programs, system, 'hsharness'));
    const packed = await run('node', [path.join(root, 'helpers/node/pack.mjs'), '--programs', programs, '--version', '9.8.7', '--out', path.join(dir, out), system]);
    assert.equal(packed.code, 0, packed.out);
    return packed.stdout.trim().split('\n');
  };
  const packages = await pack((to) => cpSync(program, to), 'packages');
  const small = (to) => writeFileSync(to, 'a small program', { mode: 0o755 });
  assert.deepEqual((await pack(small, 'one')).map(hash), (await pack(small, 'two')).map(hash), 'built again, each byte is the same');

  const project = path.join(dir, 'project');
  mkdirSync(project);
  writeFileSync(path.join(project, 'package.json'), '{}');
  writeFileSync(path.join(project, 'shirt.test.mjs'), `
    import assert from 'node:assert/strict';
    import { test } from 'node:test';
    import { start } from 'hsharness';
    test('a shirt', async (t) => {
      const h = await start({ test: t.name, max: 1 });
      t.after(() => h.end());
      const response = await fetch(h.apiUrl + '/hscode/classify', { method: 'POST', headers: { Authorization: 'Bearer ' + await h.token(), 'Content-Type': 'application/json' }, body: '{"description":"cotton t-shirt","countryOfDestination":"US"}' });
      assert.match((await response.json()).hsCode, /^6109/);
      await h.expectSpend(1);
    });
  `);
  // No other hsharness is in sight.
  const bin = path.join(dir, 'bin');
  mkdirSync(bin);
  for (const name of ['node', 'npm', 'npx', 'sh']) symlinkSync((await run('sh', ['-c', `command -v ${name}`])).stdout.trim(), path.join(bin, name));
  const env = { HSHARNESS_BIN: undefined, PATH: bin };
  const types = async (...words) => {
    const result = await run(words[0], words.slice(1), { cwd: project, env });
    assert.equal(result.code, 0, `${words.join(' ')}\n${result.out}`);
    return result.stdout;
  };
  await types('npm', 'install', '--offline', '--no-audit', '--no-fund', '--save-dev', ...packages);
  assert.match(await types('npx', '--offline', 'hsharness', 'version'), /^hsharness /);
  for (const terms of ['LICENSE', 'THIRD_PARTY_NOTICES']) {
    const installed = path.join(project, 'node_modules/@hsharness', `${process.platform}-${process.arch}`, terms);
    assert.deepEqual(readFileSync(installed), readFileSync(path.join(root, terms)));
  }
  assert.match(await types('node', '--test'), /^# pass 1$/m);

  const { optionalDependencies, version } = JSON.parse(readFileSync(path.join(project, 'node_modules/hsharness/package.json'), 'utf8'));
  assert.equal(version, '9.8.7');
  const released = readFileSync(path.join(root, 'Makefile'), 'utf8').match(/^SYSTEMS = (.*)$/m)[1].split(' ');
  const node = { windows: 'win32', amd64: 'x64' };
  const names = released.map((one) => `@hsharness/${one.split('/').map((word) => node[word] ?? word).join('-')}`);
  assert.deepEqual(optionalDependencies, Object.fromEntries(names.map((name) => [name, version])), 'one for each system of a release');
});

const hash = (file) => `${path.basename(file)} ${createHash('sha256').update(readFileSync(file)).digest('hex')}`;
