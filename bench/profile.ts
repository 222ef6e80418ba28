import type { Profiler } from 'node:inspector'
import { Session } from 'node:inspector/promises'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Contender } from './contenders/contender.ts'
import { loadContenders } from './contenders/contenders.ts'
import { fileTasks, storeTasks } from './contenders/store-tasks.ts'
import type { Load, Racer, Task } from './harness/race.ts'
import { temporaryFolder } from './harness/temporary-folder.ts'
import { formatDuration } from './report/figures.ts'
import { table } from './report/table.ts'
import { comparisonTasks } from './suites/comparison.ts'
import { userSizes } from './values/user.ts'
import { Users } from './values/users.ts'

/** `<task> [contender]`: what takes the time of a task, function by function, with values of 150 B. */
const [name = 'get', by = 'valkeyrie'] = process.argv.slice(2)
const { present } = await loadContenders()
const contender = present.find((one) => one.name === by)
const size = userSizes[0]!
const loads: Readonly<Record<string, Load>> = comparisonTasks(size, 1)
const load = loads[name]
if (contender === undefined || load === undefined) {
  const list = (names: readonly string[]) => names.map((one) => `'${one}'`).join(', ')
  throw new RangeError(
    `profile takes a task of ${list(Object.keys(loads))}, and a contender of ${list(present.map((one) => one.name))}`,
  )
}

const milliseconds = { warmUp: 500, profile: 4_000 }

/** Takes turns for so long, and gives the times of the turns by the clock of the profiler, in microseconds. */
async function takeTurns(task: Task, n: number, limit: number) {
  const microseconds = () => Number(process.hrtime.bigint() / 1_000n)
  const turns: { readonly start: number; readonly end: number }[] = []
  for (let taken = 0; taken < limit * 1_000; ) {
    const { run, verify } = await task(n)
    globalThis.gc?.({ type: 'minor' })
    const start = microseconds()
    await run()
    const end = microseconds()
    await verify()
    turns.push({ start, end })
    taken += end - start
  }
  return turns
}

async function profileOf(contender: Contender, load: Load) {
  using temporary = temporaryFolder()
  const users = new Users(size)
  const dir = temporary.folder('profile')
  const store = await contender.open(dir, users, 'normal')
  await store.load(users.entries(size.stored))
  const tasks: Racer = {
    ...storeTasks(store, users),
    ...fileTasks(contender, users, 'normal', dir, temporary),
  }
  const task = tasks[name]
  if (task === undefined) throw new RangeError(`${contender.name} cannot do '${name}'`)

  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval: 100 })
  await takeTurns(task, load.n, milliseconds.warmUp)
  await session.post('Profiler.start')
  const turns = await takeTurns(task, load.n, milliseconds.profile)
  const { profile } = await session.post('Profiler.stop')
  await store.close()
  return { turns, profile }
}

const { turns, profile } = await profileOf(contender, load)
const taken = turns.reduce((sum, { start, end }) => sum + end - start, 0)
const each = (taken / turns.length / load.n) * 1_000
console.log(`${contender.name}: ${name}, ${formatDuration(each)} each while it is being profiled\n`)
console.log(table(['itself', 'function', 'place'], functionsOf(profile)))
// As in bench/run.ts.
process.exit()

/** Those that ran within the turns, with the share of the time that they took without what they called: the dearest first. */
function functionsOf({ nodes, samples = [], timeDeltas = [], startTime }: Profiler.Profile): string[][] {
  const named = new Map(nodes.map((node) => [node.id, nameOf(node, callerOf(node, nodes))]))
  const times = new Map<string, number>()
  let total = 0
  let now = startTime
  let turn = 0
  for (const [i, id] of samples.entries()) {
    now += timeDeltas[i]!
    while (turn < turns.length && turns[turn]!.end < now) turn++
    if (turn === turns.length) break
    if (now < turns[turn]!.start) continue
    const function_ = named.get(id)!
    times.set(function_, (times.get(function_) ?? 0) + timeDeltas[i]!)
    total += timeDeltas[i]!
  }
  return [...times]
    .filter(([, time]) => time >= total * 0.005)
    .sort(([, a], [, b]) => b - a)
    .map(([named, time]) => [`${((time / total) * 100).toFixed(1)}%`, ...named.split('\n')])
}

function callerOf({ id }: Profiler.ProfileNode, nodes: readonly Profiler.ProfileNode[]) {
  return nodes.find(({ children = [] }) => children.includes(id))
}

/** The name and the place. Of what is native, most has no name, or that of another function: who calls it tells more. */
function nameOf({ callFrame }: Profiler.ProfileNode, caller: Profiler.ProfileNode | undefined): string {
  const isNative = callFrame.url === '' && caller !== undefined && caller.callFrame.url !== ''
  if (isNative)
    return `(native)\ncalled by ${caller.callFrame.functionName || 'a function'} in ${lineOf(caller)}`
  return `${callFrame.functionName || '(anonymous)'}\n${callFrame.url === '' ? '' : lineOf({ callFrame })}`
}

function lineOf({ callFrame: { url, lineNumber } }: Pick<Profiler.ProfileNode, 'callFrame'>): string {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const file = url.startsWith('file:') ? relative(root, fileURLToPath(url)) : url
  return `${file}:${lineNumber + 1}`
}
