import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defaultExclude, defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import manifest from './package.json' with { type: 'json' }
import { seedOfThisRun } from './test/concurrency/random.ts'
import { fullLength } from './test/extent.ts'
import { slowness } from './test/waiting.ts'

/** The source of each entry of the package, by the name that users import. */
const entries = Object.entries(manifest.exports).flatMap(([name, entry]) =>
  typeof entry === 'string' ? [] : [[name, entry.default] as const],
)
const alias = entries.map(([name, built]) => ({
  find: new RegExp(`^valkeyrie${name.slice(1)}$`),
  replacement: fileURLToPath(new URL(built.replace(/^\.\/dist\/(.+)\.js$/, './src/$1.ts'), import.meta.url)),
}))

/**
 * Files of tests that change their process for good, replace its modules, fill its memory, or look at all that it does: each has one of its own. The others share one for each
 * worker, where what they import is loaded once.
 */
const alone = [
  // Keyv walks arrays by for-in, and drizzle-kit, where a test has loaded it, has added to Array.prototype.
  'test/adapters/keyv.test.ts',
  'test/concurrency/{giving-way,hot-rows,slices,snapshots,turns}.test.ts',
  'test/conformance/{node-sqlite,postgres}.test.ts',
  'test/consumer/*.test.ts',
  'test/live/{chromium,react}.test.ts',
  'test/operate/{opentelemetry,tracing}.test.ts',
  'test/processes/wal.test.ts',
  'test/studio/page.test.ts',
  'test/torture/*.test.ts',
  'test/types/{completion,declarations}.test.ts',
  'test/unit/{driver/{index-budget,node-sqlite},store/sweeper,value/kv-u64,watch/watch-stream}.test.ts',
  'test/waiting.test.ts',
]

/**
 * Files of tests that run a second time, on PostgreSQL: they take their databases from `test/engine-of-project.ts`. Each test has a schema of
 * its own there, which takes its time: of most files, the seed chooses one, in `npm run torture` also of those that are long.
 */
const onPostgres = ['test/live/processes.test.ts', 'test/queue/{law,processes}.test.ts']
const inTurnOnPostgres = [
  'test/adapters/better-auth-rows.test.ts',
  'test/adapters/express-session.test.ts',
  'test/adapters/keyv.test.ts',
  'test/adapters/unstorage.test.ts',
  'test/deno/{connect,libraries}.test.ts',
  'test/live/changes.test.ts',
  'test/live/client.test.ts',
]
if (process.env[fullLength] === '1')
  inTurnOnPostgres.push(
    'test/adapters/better-auth.test.ts',
    'test/deno/kv.test.ts',
    'test/queue/{clock,passed-over,queue,schedules}.test.ts',
  )

/** Files that take longer than their length tells: begun as the last, one of them would be the last one alone. */
const long = [
  'test/conformance/postgres.test.ts',
  'test/conformance/checksums.test.ts',
  'test/snippets.test.ts',
  'test/conformance/file.test.ts',
  'test/conformance/memory.test.ts',
  'test/conformance/node-sqlite.test.ts',
  'test/consumer/consumer.test.ts',
  'test/studio/page.test.ts',
  'test/torture/attacks.test.ts',
  'test/types/completion.test.ts',
  'test/types/declarations.test.ts',
]

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) => Number(long.some((name) => moduleId.endsWith(name)))
    return (await super.sort(files)).sort((a, b) => isLong(b) - isLong(a))
  }
}

const lastResort = Math.round(20 * 60_000 * slowness())

export default defineConfig({
  resolve: { alias },
  test: {
    projects: [
      { extends: true, test: { name: 'alone', include: alone } },
      {
        extends: true,
        test: {
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: [...defaultExclude, ...alone],
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'on postgres',
          include: [...onPostgres, inTurnOnPostgres[seedOfThisRun() % inTurnOnPostgres.length]!],
          isolate: false,
          setupFiles: ['test/setup.ts', 'test/postgres/setup-project.ts'],
        },
      },
    ],
    // Loaded by Node.js itself, each test file would wait for it to read drizzle-orm's package.json again for each of its files.
    server: { deps: { inline: ['drizzle-orm'] } },
    sequence: { sequencer: LongFirst },
    // Many tests wait for the processes that they start, and a core would idle meanwhile.
    maxWorkers: availableParallelism() + 1,
    // Programs that start again and again load faster so.
    env: { NODE_COMPILE_CACHE: join(tmpdir(), 'valkeyrie-compile-cache') },
    // What tests warn of on purpose, and look at as events, is not printed between their results.
    execArgv: ['--disable-warning=QueueWarning', '--disable-warning=LongSnapshotWarning'],
    setupFiles: ['test/setup.ts'],
    globalSetup: ['test/files-in-memory.ts', 'test/postgres/global-setup.ts'],
    // The last resort where a test waits for ever: far from what one takes, and further on a slow machine.
    testTimeout: lastResort,
    hookTimeout: lastResort,
    coverage: { provider: 'v8', include: ['src/**'], reporter: ['text-summary'] },
  },
})
