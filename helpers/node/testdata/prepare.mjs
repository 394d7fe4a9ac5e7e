// Puts this package where npm would: beside the runners, as a copy.
import { cpSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const to = path.join(here, 'node_modules/hsharness');
rmSync(to, { recursive: true, force: true });
for (const name of ['package.json', 'bin', 'lib', 'types']) cpSync(path.join(here, '..', name), path.join(to, name), { recursive: true });
