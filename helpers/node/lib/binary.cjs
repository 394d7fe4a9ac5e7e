'use strict';
// Where the program hsharness is: HSHARNESS_BIN, the package for this platform
// that npm installed beside this one, PATH.

const fs = require('node:fs');
const path = require('node:path');

const { HsharnessError } = require('./error.cjs');

const program = process.platform === 'win32' ? 'hsharness.exe' : 'hsharness';

/** The npm package that has the program for a platform. */
const packageOf = (platform, arch) => `@hsharness/${platform}-${arch}`;

/** The program, and how a person would call it. */
function find(env = process.env) {
  if (env.HSHARNESS_BIN) {
    if (!isFile(env.HSHARNESS_BIN)) {
      throw new HsharnessError(`HSHARNESS_BIN is ${env.HSHARNESS_BIN}, where no program is: correct it, or unset it to have the program looked for`);
    }
    return { file: path.resolve(env.HSHARNESS_BIN), words: ['hsharness'] };
  }
  const name = packageOf(process.platform, process.arch);
  try {
    return { file: require.resolve(`${name}/bin/${program}`), words: ['npx', 'hsharness'] };
  } catch {
    // Not installed, or not for this platform: PATH may have it.
  }
  for (const folder of (env.PATH ?? env.Path ?? '').split(path.delimiter)) {
    const file = path.join(folder, program);
    if (folder && isFile(file) && !isThisPackage(file)) return { file, words: ['hsharness'] };
  }
  throw new HsharnessError(
    `the program hsharness was not found: not in HSHARNESS_BIN, which is not set, not in the package ${name}, and not in PATH\n` +
      '  get it: go install ./cmd/hsharness in a clone of hsharness, or set HSHARNESS_BIN to where it is',
  );
}

function isFile(file) {
  try {
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

/** npm puts a link to this package's own script into PATH, under the same name. */
function isThisPackage(file) {
  try {
    const real = fs.realpathSync(file);
    return real.startsWith(path.resolve(__dirname, '..') + path.sep) || real.endsWith('.js');
  } catch {
    return true;
  }
}

module.exports = { find, packageOf };
