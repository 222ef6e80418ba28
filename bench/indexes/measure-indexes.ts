import { join } from 'node:path'
import { Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { z } from 'zod'
import { expectEqual } from '../harness/expect-equal.ts'
import { type Outcome, type RaceOptions, race } from '../harness/race.ts'
import type { Task } from '../harness/task.ts'
import { temporaryFolder } from '../harness/temporary-folder.ts'
import { userSchema, userSizes } from '../values/user.ts'
import { Users } from '../values/users.ts'

/** What an awaited set takes where a file has so many indexes, all of them of other repositories. */
export interface IndexTimes {
  readonly counts: readonly number[]
  /** For each count. */
  readonly outcomes: readonly Outcome[]
}

const perCollection = 10
const users = new Users({ ...userSizes[0]!, stored: 500 })

export async function measureIndexes(
  counts: readonly number[],
  rounds: number,
  options: RaceOptions,
): Promise<IndexTimes> {
  using temporary = temporaryFolder()
  await using opened = new AsyncDisposableStack()
  const racers = []
  for (const count of counts) {
    const db = opened.use(await openIndexed(join(temporary.folder('indexes'), 'users.db'), count))
    racers.push({ name: String(count), tasks: { set: setTask(db) } })
  }
  const { set } = await race(racers, { set: { n: 200, least: 10, rounds } }, options)
  return { counts, outcomes: set! }
}

function openIndexed(path: string, indexes: number) {
  const others = Array.from({ length: indexes / perCollection }, (_, i) => {
    const fields = Array.from({ length: perCollection }, (_, field) => `f${field}`)
    const schema = z.object(Object.fromEntries(fields.map((field) => [field, z.int()])))
    return defineSchema([`other${i}`, '*'], schema, {
      name: `other${i}`,
      indexes: fields.map((on) => ({ on })) as never,
    })
  })
  return Valkeyrie.withSchemas(others).withSchema(['users', '*'], userSchema, { name: 'users' }).open(path)
}

function setTask(db: Awaited<ReturnType<typeof openIndexed>>): Task {
  const rows = db.repository(['users', '*'])
  let age = 0
  return (n) => ({
    async run() {
      for (let i = 0; i < n; i++) await rows.set(users.storedIds[i % 500]!, { ...users.at(i), age: ++age })
    },
    async verify() {
      const { value } = await rows.get(users.storedIds[(n - 1) % 500]!)
      expectEqual(value?.age, age, 'the age set last')
    },
  })
}
