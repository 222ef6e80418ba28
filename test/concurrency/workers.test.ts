import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { type KvU64, Valkeyrie } from 'valkeyrie'
import { expect, it } from 'vitest'
import { newDatabasePath } from './temporary-folder.ts'

const program = fileURLToPath(new URL('./programs/worker.ts', import.meta.url))

it('worker threads on one file lose nothing', async () => {
  const path = newDatabasePath()
  const workers = Array.from(
    { length: 3 },
    () => new Worker(program, { workerData: { path, times: 30 }, execArgv: [] }),
  )
  const versions = (await Promise.all(workers.map((worker) => once(worker, 'message')))).map(
    ([own]) => own as string[],
  )
  await using db = await Valkeyrie.open(path)
  const [sum, unit] = await db.getMany([['counters', 'sum'], ['unit']])
  expect([(sum.value as KvU64).value, unit.value]).toEqual([90n, 90])
  expect(new Set(versions.flat()).size).toBe(90)
  for (const own of versions) expect(own).toEqual(own.toSorted())
})
