// How each runner runs one file.

export const runners = {
  vitest: { file: 'one.test.mjs', suite: 'wait.mjs', command: ['node', 'node_modules/vitest/vitest.mjs', 'run', '--reporter=verbose'], again: "npx vitest run one.test.mjs -t 'a test'" },
  // More than one file, so that jest starts workers.
  jest: { file: 'one.test.cjs', suite: 'wait.cjs', command: ['node', 'node_modules/jest/bin/jest.js', '--rootDir=.', '--testMatch=**/*.test.cjs', '--maxWorkers=2'], again: "npx jest one.test.cjs -t 'a test'", more: 'test("more", () => {});\n' },
  node: { file: 'one.test.mjs', suite: 'wait.mjs', command: ['node', '--test'], again: "node --test '--test-name-pattern=a test' one.test.mjs" },
};
