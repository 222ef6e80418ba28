import { channel } from 'node:diagnostics_channel'
import { join } from 'node:path'
import { Valkeyrie } from 'valkeyrie'
import { expectEqual } from '../harness/expect-equal.ts'
import type { Racer, Task } from '../harness/race.ts'
import { temporaryFolder } from '../harness/temporary-folder.ts'
import { suite } from '../report/suite.ts'
import { table } from '../report/table.ts'
import { userSchema, userSizes } from '../values/user.ts'
import { Users } from '../values/users.ts'

const users = new Users({ ...userSizes[0]!, stored: 500 })
const phases = ['start', 'end', 'asyncStart', 'asyncEnd', 'error']
const channels = [
  ...['call', 'query', 'commit'].flatMap((name) =>
    phases.map((phase) => `tracing:valkeyrie:${name}:${phase}`),
  ),
  ...['conflict', 'retry', 'wait'].map((name) => `valkeyrie:${name}`),
]

const loads = { get: { n: 2_000, least: 10 }, set: { n: 200, least: 10 }, findMany: { n: 1_000, least: 10 } }

export const tracing = suite({
  name: 'tracing',
  async measure(run) {
    using temporary = temporaryFolder()
    await using db = await Valkeyrie.withSchema(['users', '*'], userSchema, {
      name: 'users',
      indexes: [{ on: 'age' }],
    }).open(join(temporary.path, 'users.db'))
    const rows = db.repository(['users', '*'])
    for (const [i, id] of users.storedIds.entries()) await rows.set(id, users.at(i))
    const racer = (isHeard: boolean): Racer => ({
      get: heardTask((i) => rows.get(users.storedIds[i % 500]!), isHeard),
      set: heardTask((i) => rows.set(users.storedIds[i % 500]!, users.at(i % 500)), isHeard),
      findMany: heardTask((i) => rows.findMany({ where: { age: i % 90 }, limit: 5 }), isHeard),
    })
    return await run.race({ nobody: racer(false), somebody: racer(true) }, loads, run.rounds)
  },
  report: (outcomes) => [
    {
      title: 'Tracing',
      blocks: [
        'Awaited calls of a repository while nobody listens to the [channels](tracing.md) of a database, and while somebody counts all that they tell.',
        table(
          ['who listens', ...Object.keys(outcomes)],
          ['nobody', 'somebody'].map((who) => [who, ...Object.values(outcomes).map((of) => of[who])]),
        ),
      ],
    },
  ],
})

/** Whether somebody listens is a matter of the whole process: so it is while the task runs only. */
function heardTask(call: (i: number) => Promise<unknown>, isHeard: boolean): Task {
  let told = 0
  const listener = () => {
    told += 1
  }
  return (n) => ({
    async run() {
      told = 0
      if (isHeard) for (const name of channels) channel(name).subscribe(listener)
      for (let i = 0; i < n; i++) await call(i)
      if (isHeard) for (const name of channels) channel(name).unsubscribe(listener)
    },
    verify: () => expectEqual(told > 0, isHeard, 'whether the channels have told anything'),
  })
}
