import { Worker } from 'node:worker_threads'
import { Valkeyrie } from 'valkeyrie'
import { expect, it } from 'vitest'
import { isPending } from '../conformance/watching.ts'
import { extent } from '../extent.ts'
import { stillClock } from '../still-clock.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { runFixture } from './run-fixture.ts'

const path = temporaryFolder()

interface Written {
  readonly n: number
}

const keysOf = (name: string) => Array.from({ length: 10 }, (_, i) => ['k', name, i] as const)

/** Watches what a writer writes until its last change is seen, and expects the states to be those that are stored. */
async function follow(
  file: string,
  name: string,
  writing: (changes: number) => Promise<unknown>,
  changes: number,
) {
  await using db = await Valkeyrie.open(file)
  const reader = db.watch(keysOf(name)).getReader()
  let states: readonly (Written | null)[] = []
  let seen = 0
  await reader.read()
  const written = writing(changes)
  while (seen < changes) {
    const { value } = await reader.read()
    states = value!.map((entry) => entry.value as Written | null)
    const newest = states.reduce((a, b) => (b !== null && (a === null || b.n > a.n) ? b : a))!
    seen = newest.n
  }
  await written
  const stored = await db.getMany(keysOf(name))
  expect(states).toEqual(stored.map(({ value }) => value))
  await reader.cancel()
}

it('1,000 changes of another process: every final state is seen', async () => {
  const file = path()
  await follow(file, 'w', (changes) => runFixture('watch-writer', file, 'w', changes, 8), 1_000)
})

it('changes of a worker thread are seen', async () => {
  const file = path()
  const program = new URL('fixtures/watch-writer.ts', import.meta.url)
  await follow(
    file,
    'thread',
    (changes) =>
      new Promise((resolve, reject) => {
        const argv = [file, 'thread', changes, 4]
        const worker = new Worker(program, { argv, stdout: true })
        worker.once('exit', resolve).once('error', reject)
      }),
    100,
  )
})

it('a reader that sleeps through writes of 100 KB reads the newest state, and the process grows by less than 20 MB', async () => {
  const writes = extent('writes', 600, 10_000)
  const { n, grown } = await runFixture<{ n: number; grown: number }>('watch-slow-reader', writes)
  expect(n).toBe(writes)
  expect(grown).toBeLessThan(20e6)
})

it('a pending read keeps no process alive', async () => {
  const file = path()
  expect(await runFixture('watch-pending', file)).toBe('exits')
})

it('an expiring key of a writer that is gone is emitted as missing, and not before its time', async () => {
  // Its clock is that of this process: however long the writer takes, nothing has expired yet.
  const clock = stillClock()
  const file = path()
  await using db = await Valkeyrie.open(file)
  const reader = db.watch([['session']]).getReader()
  const feed = db.changes({ prefix: [] }).getReader()
  await reader.read()
  const change = feed.read()
  const { expiresAt } = await runFixture<{ expiresAt: number }>('watch-expiring', file, 300)
  expect((await reader.read()).value![0].value).toBe('here')
  clock.advance(expiresAt - clock.now - 1)
  expect((await db.get(['session'])).value).toBe('here')
  const missing = reader.read()
  expect(await isPending(missing)).toBe(true)
  // The writer has read its clock once more, after it reported to us.
  clock.advance(1_000_000)
  expect((await missing).value![0].value).toBeNull()
  expect((await change).value).toMatchObject({ type: 'set', key: ['session'] })
  expect((await feed.read()).value).toMatchObject({ type: 'expire', key: ['session'], value: null })
  await Promise.all([reader.cancel(), feed.cancel()])
})
