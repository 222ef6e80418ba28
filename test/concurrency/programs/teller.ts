// Counts a row up, and tells each number once it is committed: the process and the thread of hot-rows.test.ts.
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { Valkeyrie } from 'valkeyrie'
import { patient } from '../../waiting.ts'

const { path, times } = (isMainThread ? JSON.parse(process.argv[2]!) : workerData) as {
  readonly path: string
  readonly times: number
}
const tell = isMainThread
  ? (n: number) => void process.send!(n)
  : (n: number) => void parentPort!.postMessage(n)
const db = await Valkeyrie.open(path, patient)
for (let n = 1; n <= times; n++) {
  await db.set(['row'], n)
  tell(n)
}
await db.close()
