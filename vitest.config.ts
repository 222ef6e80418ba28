import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import manifest from './package.json' with { type: 'json' }
import { slowness } from './test/waiting.ts'

/** The source of each entry of the package, by the name that users import. */
const entries = Object.entries(manifest.exports).flatMap(([name, entry]) =>
  typeof entry === 'string' ? [] : [[name, entry.default] as const],
)
const alias = entries.map(([name, built]) => ({
  find: new RegExp(`^valkeyrie${name.slice(1)}$`),
  replacement: fileURLToPath(new URL(built.replace(/^\.\/dist\/(.+)\.js$/, './src/$1.ts'), import.meta.url)),
}))

const lastResort = Math.round(20 * 60_000 * slowness())

export default defineConfig({
  resolve: { alias },
  test: {
    include: ['test/**/*.test.ts'],
    // Loaded by Node.js itself, each test file would wait for it to read drizzle-orm's package.json again for each of its files.
    server: { deps: { inline: ['drizzle-orm'] } },
    // Many tests wait for the processes that they start: a core left to the runner would idle.
    maxWorkers: '100%',
    setupFiles: ['test/setup.ts'],
    globalSetup: ['test/postgres/global-setup.ts'],
    // The last resort where a test waits for ever: far from what one takes, and further on a slow machine.
    testTimeout: lastResort,
    hookTimeout: lastResort,
    coverage: { provider: 'v8', include: ['src/**'], reporter: ['text-summary'] },
  },
})
