import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { slowness } from './test/waiting.ts'

const source = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url))

const lastResort = Math.round(20 * 60_000 * slowness())

export default defineConfig({
  resolve: {
    alias: [
      { find: /^valkeyrie$/, replacement: source('index.ts') },
      { find: /^valkeyrie\/KvU64$/, replacement: source('value/kv-u64.ts') },
      { find: /^valkeyrie\/opentelemetry$/, replacement: source('opentelemetry.ts') },
      { find: /^valkeyrie\/migrate$/, replacement: source('migrate.ts') },
      { find: /^valkeyrie\/schema$/, replacement: source('schema.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    // Loaded by Node.js itself, each test file would wait for it to read drizzle-orm's package.json again for each of its files.
    server: { deps: { inline: ['drizzle-orm'] } },
    // Many tests wait for the processes that they start: a core left to the runner would idle.
    maxWorkers: '100%',
    setupFiles: ['test/setup.ts'],
    // The last resort where a test waits for ever: far from what one takes, and further on a slow machine.
    testTimeout: lastResort,
    hookTimeout: lastResort,
    coverage: { provider: 'v8', include: ['src/**'], reporter: ['text-summary'] },
  },
})
