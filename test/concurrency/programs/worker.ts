// Counts up in a worker thread: the threads of workers.test.ts.
import { parentPort, workerData } from 'node:worker_threads'
import { KvU64, Valkeyrie } from 'valkeyrie'
import { z } from 'zod'
import { patient } from '../../waiting.ts'

const { path, times } = workerData as { readonly path: string; readonly times: number }
const db = await Valkeyrie.withSchema(['counters', '*'], z.instanceof(KvU64), { name: 'counters' }).open(
  path,
  patient,
)
const versions: string[] = []
for (let i = 0; i < times; i++) {
  const { versionstamp } = await db.repositories.counters.sum('sum', 1n)
  versions.push(versionstamp)
  await db.unitOfWork(async (unit) => {
    const counter = await unit.get(['unit'])
    await unit.set(['unit'], ((counter.value as number | null) ?? 0) + 1)
  })
}
await db.close()
parentPort!.postMessage(versions)
