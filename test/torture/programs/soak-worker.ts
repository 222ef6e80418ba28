// Uses a database in all ways until it is killed, and acknowledges its numbered commits on stdout: the processes of soak.ts.
import assert from 'node:assert/strict'
import { writeSync } from 'node:fs'
import { ConflictError, ConnectionError, UniqueConstraintError } from 'valkeyrie'
import { randomOf } from '../../concurrency/random.ts'
import { openSoaked, type SoakedDatabase } from '../soaked.ts'

const { path, name, seed } = JSON.parse(process.argv[2]!) as { path: string; name: string; seed: number }
const random = randomOf(seed)
const below = (end: number) => Math.floor(random() * end)
let db = await openSoaked(path)
let numbered = 0
let made = 0

async function transfer({ unitOfWork }: Pick<SoakedDatabase, 'unitOfWork'>): Promise<void> {
  const [from, to, amount] = [below(5), below(5), below(100)]
  if (from === to) return
  await unitOfWork.call(db, async (unit) => {
    const { accounts } = unit.repositories
    const [giver, taker] = [await accounts.get(from), await accounts.get(to)]
    giver.value!.balance -= amount
    taker.value!.balance += amount
  })
}

/** One at a time, so that the feed has no gaps. */
async function commitNumbered(): Promise<void> {
  const n = numbered + 1
  const result = await db
    .atomic()
    .set(['numbered', name, n], 'x'.repeat(below(300)))
    .sum(['count', name], 1n)
    .set(['pair', 'left'], `${name} ${n}`)
    .set(['pair', 'right'], `${name} ${n}`)
    .commit()
  assert(result.ok)
  numbered = n
  writeSync(1, `${n}\n`)
}

const steps: readonly (() => Promise<unknown>)[] = [
  commitNumbered,
  commitNumbered,
  commitNumbered,
  () => transfer(db),
  () => {
    made += 1
    return db
      .atomic()
      .set(['jobs', `${name} ${made}`], { state: 'waiting', by: name })
      .sum(['made'], 1n)
      .commit()
  },
  async () => {
    const { entries } = await db.repositories.jobs.claimMany({
      where: { state: 'waiting' },
      limit: 2,
      set: { state: 'taken', by: name },
    })
    for (const { id, versionstamp } of entries) {
      const done = db.atomic().check({ key: ['jobs', id as string], versionstamp: versionstamp! })
      const result = await done
        .delete(['jobs', id as string])
        .sum(['done'], 1n)
        .commit()
      assert(result.ok, 'a job that was claimed is nobody else’s')
    }
  },
  async () => {
    const email = `e${below(50)}`
    await db.repositories.people.set(`${name} ${below(20)}`, { email, age: below(9) }).catch((error) => {
      if (!(error instanceof UniqueConstraintError)) throw error
    })
  },
  () => db.repositories.people.deleteMany({ where: { age: below(9) } }),
  () => db.repositories.people.updateMany({ where: { age: below(9) }, set: { age: below(9) } }),
  () =>
    db.repositories.people
      .insertMany(
        Array.from({ length: 30 }, (_, n) => [
          `${name} ${numbered} ${n}`,
          { email: `${name}${numbered} ${n}`, age: 8 },
        ]),
      )
      .catch((error) => assert.equal(error.code, 'KEY_EXISTS')),
  () => db.set(['brief', name, below(10)], 'x', { expireIn: 1 + below(50) }),
  () => db.cleanup(),
  async () => {
    const taking = db.snapshot(async (view) => {
      const first = await view.get(['pair', 'left'])
      await new Promise(setImmediate)
      return [first, await view.get(['pair', 'right'])]
    })
    const [left, right] = await taking.catch((error) => {
      // On a server, a snapshot ends with its connection.
      if (!(error instanceof ConnectionError) || error.written !== false) throw error
      return []
    })
    assert.deepEqual(left?.value, right?.value)
  },
  async () => {
    const rows = await db.repositories.accounts.findMany()
    assert.equal(
      rows.reduce((sum, { value }) => sum + value.balance, 0),
      0,
    )
  },
  async () => {
    const reader = db
      .watch([
        ['pair', 'left'],
        ['pair', 'right'],
      ])
      .getReader()
    const { value } = await reader.read()
    assert.deepEqual(value![0].value, value![1].value)
    await reader.cancel()
  },
  async () => {
    for await (const _ of db.list({ prefix: ['numbered'] }, { batchSize: 5 })) if (random() < 0.1) break
  },
  async () => {
    if (random() < 0.8) return
    await db.close()
    db = await openSoaked(path)
  },
]

while (true) {
  const some = Array.from({ length: 1 + below(4) }, () => steps[below(steps.length)]!)
  // Numbered commits in their order; what else comes beside them.
  const rest = some.filter((step) => step !== commitNumbered && step !== steps.at(-1))
  const [numberedOnes, reopens] = [
    some.filter((step) => step === commitNumbered),
    some.includes(steps.at(-1)!),
  ]
  const inOrder = async () => {
    for (const step of numberedOnes) await step()
  }
  for (const settled of await Promise.allSettled([inOrder(), ...rest.map((step) => step())])) {
    if (settled.status === 'rejected' && !(settled.reason instanceof ConflictError)) throw settled.reason
  }
  if (reopens) await steps.at(-1)!()
}
