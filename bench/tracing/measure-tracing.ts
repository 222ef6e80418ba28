import { channel } from 'node:diagnostics_channel'
import { join } from 'node:path'
import { Valkeyrie } from 'valkeyrie'
import { expectEqual } from '../harness/expect-equal.ts'
import { type Outcome, type RaceOptions, race } from '../harness/race.ts'
import type { Task } from '../harness/task.ts'
import { temporaryFolder } from '../harness/temporary-folder.ts'
import { userSchema, userSizes } from '../values/user.ts'
import { Users } from '../values/users.ts'

/** What calls take while nobody listens to the channels of a database, and while somebody listens to all of them. */
export interface TracingTimes {
  readonly tasks: readonly TracingTask[]
  /** For each task: nobody, somebody. */
  readonly outcomes: readonly (readonly Outcome[])[]
}

const tracingTasks = ['get', 'set', 'findMany'] as const
type TracingTask = (typeof tracingTasks)[number]

const users = new Users({ ...userSizes[0]!, stored: 500 })
const phases = ['start', 'end', 'asyncStart', 'asyncEnd', 'error']
const channels = [
  ...['call', 'query', 'commit'].flatMap((name) =>
    phases.map((phase) => `tracing:valkeyrie:${name}:${phase}`),
  ),
  ...['conflict', 'retry', 'wait'].map((name) => `valkeyrie:${name}`),
]

export async function measureTracing(rounds: number, options: RaceOptions): Promise<TracingTimes> {
  using temporary = temporaryFolder()
  await using db = await Valkeyrie.withSchema(['users', '*'], userSchema, {
    name: 'users',
    indexes: [{ on: 'age' }],
  }).open(join(temporary.folder('tracing'), 'users.db'))
  const rows = db.repository(['users', '*'])
  for (const [i, id] of users.storedIds.entries()) await rows.set(id, users.at(i))
  const tasks: Record<TracingTask, (i: number) => Promise<unknown>> = {
    get: (i) => rows.get(users.storedIds[i % 500]!),
    set: (i) => rows.set(users.storedIds[i % 500]!, users.at(i % 500)),
    findMany: (i) => rows.findMany({ where: { age: i % 90 }, limit: 5 }),
  }
  const racer = (name: string, isHeard: boolean) => ({
    name,
    tasks: Object.fromEntries(tracingTasks.map((task) => [task, heardTask(tasks[task], isHeard)])) as Record<
      TracingTask,
      Task
    >,
  })
  const size = { least: 10, rounds }
  const found = await race(
    [racer('nobody', false), racer('somebody', true)],
    { get: { n: 2_000, ...size }, set: { n: 200, ...size }, findMany: { n: 1_000, ...size } },
    options,
  )
  return { tasks: tracingTasks, outcomes: tracingTasks.map((task) => found[task]!) }
}

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
    async verify() {
      expectEqual(told > 0, isHeard, 'whether the channels have told anything')
    },
  })
}
