import { join } from 'node:path'
import { Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { z } from 'zod'
import { expectEqual } from '../harness/expect-equal.ts'
import type { Racer, Task } from '../harness/race.ts'
import { temporaryFolder } from '../harness/temporary-folder.ts'
import { atMost } from '../report/bound.ts'
import { suite } from '../report/suite.ts'
import { table } from '../report/table.ts'
import { userSchema, userSizes } from '../values/user.ts'
import { Users } from '../values/users.ts'

/** How many times as long as with none a set may take beside as many indexes as a file is to have. */
const bound = { count: 100, limit: 3 }

const counts = [0, 50, bound.count, 200, 400, 600]
const perCollection = 10
const users = new Users({ ...userSizes[0]!, stored: 500 })

export const indexes = suite({
  name: 'indexes',
  async measure(run) {
    using temporary = temporaryFolder()
    await using opened = new AsyncDisposableStack()
    const racers: Record<string, Racer> = {}
    for (const count of counts) {
      const db = opened.use(await openIndexed(join(temporary.folder('indexes'), 'users.db'), count))
      racers[count] = { set: setTask(db) }
    }
    const { set } = await run.race(racers, { set: { n: 200, least: 10 } }, run.fewerRounds)
    return set!
  },
  report: (set) => [
    {
      title: 'Indexes of other repositories',
      blocks: [
        'An awaited set in a file with so many indexes, none of which holds the row: SQLite opens all of them for each write.',
        table(['indexes', ...counts.map(String)], [['set', ...counts.map((count) => set[count])]]),
      ],
      bounds: [
        atMost(bound.limit, {
          what: `set, ${bound.count} indexes of other repositories`,
          against: 'no indexes',
          own: set[bound.count],
          other: set[0],
        }),
      ],
    },
  ],
})

function openIndexed(path: string, count: number) {
  const others = Array.from({ length: count / perCollection }, (_, i) => {
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
