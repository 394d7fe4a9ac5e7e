// Builds the npm packages: one for each system with the program in it, and the one that
// needs them. The same files make the same packages, and no registry is asked.
//
//     node pack.mjs --programs dist --out dist/npm [--version 1.2.3] [linux/amd64 ...]

import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, '../..');

/** The systems of a release, as Go and as Node call them. */
const systems = {
  'linux/amd64': { os: 'linux', cpu: 'x64' },
  'linux/arm64': { os: 'linux', cpu: 'arm64' },
  'darwin/amd64': { os: 'darwin', cpu: 'x64' },
  'darwin/arm64': { os: 'darwin', cpu: 'arm64' },
  'windows/amd64': { os: 'win32', cpu: 'x64' },
  'windows/arm64': { os: 'win32', cpu: 'arm64' },
};
const nameOf = ({ os, cpu }) => `@hsharness/${os}-${cpu}`;

const { values, positionals } = parseArgs({ options: { programs: { type: 'string' }, out: { type: 'string' }, version: { type: 'string' } }, allowPositionals: true });
if (!values.programs || !values.out) fail('say --programs FOLDER, where the programs are, and --out FOLDER');
const settings = JSON.parse(readFileSync(path.join(here, 'package.json'), 'utf8'));
if (values.version) settings.version = values.version;
const out = path.resolve(values.out);
mkdirSync(out, { recursive: true });

for (const system of positionals.length > 0 ? positionals : Object.keys(systems)) {
  if (!systems[system]) fail(`${system} is none of ${Object.keys(systems).join(', ')}`);
  const { os, cpu } = systems[system];
  const program = os === 'win32' ? 'hsharness.exe' : 'hsharness';
  const built = path.resolve(values.programs, system, program);
  if (!existsSync(built)) fail(`there is no ${built}: make packages builds it`);
  pack((dir) => {
    mkdirSync(path.join(dir, 'bin'));
    cpSync(built, path.join(dir, 'bin', program));
    copyFileSync(path.join(root, 'THIRD_PARTY_NOTICES'), path.join(dir, 'THIRD_PARTY_NOTICES'));
    const { version, license, repository } = settings;
    write(dir, 'package.json', { name: nameOf(systems[system]), version, description: `The program hsharness for ${os}, ${cpu}`, license, repository, os: [os], cpu: [cpu], preferUnplugged: true, files: ['bin', 'THIRD_PARTY_NOTICES'] });
    writeFileSync(path.join(dir, 'README.md'), `The program hsharness for ${os}, ${cpu}: install the package hsharness, which takes it.\n`);
  });
}

pack((dir) => {
  for (const name of ['README.md', ...settings.files]) cpSync(path.join(here, name), path.join(dir, name), { recursive: true });
  const needs = Object.fromEntries(Object.values(systems).map((system) => [nameOf(system), settings.version]));
  write(dir, 'package.json', { ...settings, optionalDependencies: needs });
});

/** Packs what is put into a folder, and prints the package. */
function pack(put) {
  const dir = mkdtempSync(path.join(tmpdir(), 'hsharness-pack-'));
  try {
    put(dir);
    copyFileSync(path.join(root, 'LICENSE'), path.join(dir, 'LICENSE'));
    const printed = execFileSync('npm', ['pack', '--offline', '--json', '--loglevel=error', '--pack-destination', out], { cwd: dir, encoding: 'utf8', shell: process.platform === 'win32' });
    const [{ filename }] = JSON.parse(printed);
    console.log(path.join(out, filename.replace('@', '').replaceAll('/', '-')));
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function write(dir, name, value) {
  writeFileSync(path.join(dir, name), `${JSON.stringify(value, null, 2)}\n`);
}

function fail(text) {
  console.error(`pack.mjs: ${text}`);
  process.exit(2);
}
