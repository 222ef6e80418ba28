// Commits and acknowledges on stdout until it is killed: the processes of kill.ts.
import { writeSync } from 'node:fs'
import { KvU64, Valkeyrie } from 'valkeyrie'
import { patient } from '../../waiting.ts'

const { path, round } = JSON.parse(process.argv[2]!) as { readonly path: string; readonly round: number }
const db = await Valkeyrie.open(path, patient)
process.channel?.unref()

/** A line a commit, once it has been acknowledged: its number in this process and its versionstamp. */
const acknowledge = (n: number, versionstamp: string) => void writeSync(1, `${n} ${versionstamp}\n`)

async function commitAtomically(n: number): Promise<void> {
  const marker = `${round}-${n}`
  const result = await db
    .atomic()
    .set(['parts', round, n, 'a'], marker)
    .set(['newest'], marker)
    .sum(['commits'], new KvU64(1n))
    .set(['parts', round, n, 'b'], marker.repeat(n % 500))
    .commit()
  if (result.ok) acknowledge(n, result.versionstamp)
}

async function commitUnit(n: number): Promise<void> {
  const marker = `${round}-${n}`
  await db.unitOfWork(async (unit) => {
    await unit.set(['parts', round, n, 'a'], marker)
    await unit.set(['newest'], marker)
    const commits = (await unit.get(['commits'])).value as KvU64 | null
    await unit.set(['commits'], new KvU64((commits?.value ?? 0n) + 1n))
    await unit.set(['parts', round, n, 'b'], marker.repeat(n % 500))
  })
  const { versionstamp } = await db.get(['parts', round, n, 'a'])
  acknowledge(n, versionstamp!)
}

for (let n = 1; ; n += 5) {
  const atomically = [n, n + 1, n + 2, n + 3].map(commitAtomically)
  await Promise.all([...atomically, commitUnit(n + 4)])
}
