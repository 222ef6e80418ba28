import { Session } from 'node:inspector/promises'
import { fileTasks } from './comparison/file-tasks.ts'
import { storeTasks } from './comparison/store-tasks.ts'
import { type ComparisonTask, comparisonTasks, fileLoads, storeLoads } from './comparison/tasks.ts'
import type { Contender } from './contenders/contender.ts'
import { loadContenders } from './contenders/contenders.ts'
import type { Task } from './harness/task.ts'
import { temporaryFolder } from './harness/temporary-folder.ts'
import { sampledFunctions, type Window } from './profile/sampled-functions.ts'
import { formatDuration } from './report/figures.ts'
import { formatTable } from './report/table.ts'
import { userSizes } from './values/user.ts'
import { Users } from './values/users.ts'

/** `<task> [contender]`: what takes the time of a task, function by function, with values of 150 B. */
const [task = 'get', name = 'valkeyrie'] = process.argv.slice(2)
const { present } = await loadContenders()
const contender = present.find((one) => one.name === name)
const isTask = (text: string): text is ComparisonTask => comparisonTasks.some((one) => one === text)
if (contender === undefined || !isTask(task)) {
  const list = (names: readonly string[]) => names.map((one) => `'${one}'`).join(', ')
  const names = present.map((one) => one.name)
  throw new RangeError(`profile takes a task of ${list(comparisonTasks)}, and a contender of ${list(names)}`)
}

const milliseconds = { warmUp: 500, profile: 4_000 }

const microseconds = () => Number(process.hrtime.bigint() / 1_000n)

/** Takes turns for so long, and tells when each of them ran, and what an operation took in nanoseconds. */
async function takeTurns(run: Task, n: number, limit: number) {
  const windows: Window[] = []
  let taken = 0
  while (taken < limit * 1_000) {
    const { run: work, verify } = await run(n)
    globalThis.gc?.({ type: 'minor' })
    const start = microseconds()
    await work()
    const end = microseconds()
    await verify()
    windows.push([start, end])
    taken += end - start
  }
  return { windows, each: (taken / windows.length / n) * 1_000 }
}

async function profile(contender: Contender, task: ComparisonTask) {
  using temporary = temporaryFolder()
  const size = userSizes[0]!
  const users = new Users(size)
  const dir = temporary.folder('profile')
  const store = await contender.open(dir, users, 'normal')
  await store.load(users.entries(size.stored))
  const run = {
    ...storeTasks(store, users),
    ...fileTasks(contender, users, 'normal', dir, temporary),
  }[task]
  if (run === undefined) throw new RangeError(`${contender.name} cannot do '${task}'`)
  const { n } = { ...storeLoads(size, 1), ...fileLoads(size, 1) }[task]

  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval: 100 })
  await takeTurns(run, n, milliseconds.warmUp)
  await session.post('Profiler.start')
  const { windows, each } = await takeTurns(run, n, milliseconds.profile)
  const stopped = await session.post('Profiler.stop')
  await store.close()
  return { each, functions: sampledFunctions(stopped.profile, windows) }
}

const { each, functions } = await profile(contender, task)
console.log(`${contender.name}: ${task}, ${formatDuration(each)} each while it is being profiled\n`)
const rows = functions
  .filter(({ share }) => share >= 0.005)
  .map(({ name, place, share }) => [`${(share * 100).toFixed(1)}%`, name, place])
console.log(formatTable([['itself', 'function', 'place'], ...rows]))
// As in bench/run.ts.
process.exit()
