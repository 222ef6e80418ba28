// What is compared with others is in one file: the tasks, what is promised of them, and the tables that show them.
import { type Contender, closeStore, type Durability } from '../contenders/contender.ts'
import { fileTasks, storeTasks } from '../contenders/store-tasks.ts'
import type { Load, Outcomes, Racer } from '../harness/race.ts'
import { bytesIn } from '../harness/temporary-folder.ts'
import { atMost, type Bound, timesFaster } from '../report/bound.ts'
import { dotChart } from '../report/chart.ts'
import { formatCount } from '../report/figures.ts'
import { type Run, type Section, suite, table } from '../report/suite.ts'
import { type UserSize, userSizes } from '../values/user.ts'
import { Users } from '../values/users.ts'

interface ComparisonTask extends Load {
  /** How the tables name it. */
  readonly label: string
}

/**
 * In this order: what reads comes before what changes the rows that were stored. A turn of writes is long enough for
 * some checkpoints of the log: whether it had one or two would be all that it tells otherwise.
 */
const comparisonTasks = ({ stored, loaded }: UserSize, rounds: number) =>
  ({
    get: { label: 'get', n: 10_000, least: 200 },
    'get again': { label: 'get of 100 rows again and again', n: 10_000, least: 200 },
    'getMany of 100': { label: 'getMany of 100, per key', n: 10_000, least: 400 },
    list: { label: 'list, per row', n: stored },
    'unit of work': { label: 'unit of work: 2 reads, 2 writes', n: 1_000, least: 200 },
    'watch by 100': { label: 'watch: a write seen by 100', n: 20, least: 2 },
    set: { label: 'set', n: 2_000, least: 500 },
    'sets at once': { label: '1,000 sets at once, per set', n: 5_000, least: 1_000 },
    'atomic of 500': { label: 'atomic of 500 sets, per set', n: 5_000, least: 500 },
    open: { label: 'open an existing file, and get', n: 1 },
    'bulk load': {
      label: 'bulk load, per row',
      n: loaded,
      least: loaded / 100,
      longer: 5,
      rounds: Math.ceil(rounds / 2),
    },
  }) satisfies Readonly<Record<string, ComparisonTask>>

type Task = keyof ReturnType<typeof comparisonTasks>

/** How many times as long as by hand a task may take, by key and by repository. */
const ofByHand: Readonly<Partial<Record<Task, number>>> = {
  get: 1.4,
  list: 1.4,
  'unit of work': 2.5,
  set: 1.5,
  'sets at once': 1.6,
  'atomic of 500': 2,
  'bulk load': 2,
}

/** The same of small values: what it takes to read large ones is mostly to parse them. */
const smallOfByHand: Readonly<Partial<Record<Task, number>>> = { 'get again': 0.5 }

/**
 * How many times as long as this library others take, with small values: of large ones, all encode the same. None of these is more than
 * statements by hand reach.
 */
const fasterThan: Readonly<Record<string, Readonly<Partial<Record<Task, number>>>>> = {
  'valkeyrie 0.8': { get: 1.6, set: 1.4, 'sets at once': 3.4, 'atomic of 500': 1.5, list: 2 },
  '@deno/kv': { get: 12, set: 7 },
  Drizzle: { get: 5 },
}

/** Those that open files themselves. */
const opening: readonly string[] = ['open', 'bulk load'] satisfies Task[]
/** Those that tell what syncing each commit to the disk costs. */
const syncing: readonly string[] = ['set', 'sets at once', 'atomic of 500'] satisfies Task[]
/** Those that the size of the values hardly matters to. */
const small: readonly string[] = ['unit of work', 'watch by 100', 'open'] satisfies Task[]

const labels = Object.entries(comparisonTasks(userSizes[0]!, 1)).map(([name, { label }]) => ({ name, label }))

/** What the contenders took for the users of one size. */
interface Comparison {
  readonly size: UserSize
  /** What a value takes as JSON. */
  readonly valueBytes: number
  readonly outcomes: Outcomes
  /** What a row takes on the disk, after the stored users were loaded and the file was closed, by contender. */
  readonly bytesOnDisk: Readonly<Record<string, number>>
}

export const comparison = suite({
  name: 'comparison',
  tasks: labels.map(({ name }) => name),
  async measure(run) {
    const { contenders, quick, rounds, fewerRounds } = run
    const comparisons: Comparison[] = []
    for (const size of quick ? userSizes.slice(0, 1) : userSizes) {
      const isFirst = size === userSizes[0]
      const tasks = wantedOf(
        comparisonTasks(size, isFirst ? rounds : fewerRounds),
        (name) => run.wants(name) && (size.notes === 0 || !small.includes(name)),
      )
      if (Object.keys(tasks).length === 0) continue
      run.step(`values of ${size.name}`)
      comparisons.push(
        await compare(contenders.present, size, 'normal', tasks, run, isFirst ? rounds : fewerRounds),
      )
    }
    return { contenders, comparisons }
  },
  report({ contenders, comparisons }) {
    const { present, absent } = contenders
    const rows = [
      ...present.map(({ name, version, note = '' }) => [name, version, note]),
      ...absent.map(({ name, absent: reason }) => [name, 'not installed', reason]),
    ]
    return [
      { title: 'Contenders', blocks: [table(['', 'version', ''], rows)] },
      ...comparisons.map((of, i): Section => {
        const { size, valueBytes, outcomes, bytesOnDisk } = of
        return {
          title: `Values of ${size.name}`,
          blocks: [
            `${formatCount(size.stored)} rows; a value is ${formatCount(valueBytes)} bytes as JSON.`,
            tableOf(of),
          ],
          ...(i === 0 && {
            chart: dotChart({
              name: 'comparison',
              description: `What each task takes with values of ${size.name}, by contender: to the left is faster, on a scale of its own for each task`,
              contenders: Object.keys(bytesOnDisk),
              panels: labels.flatMap(({ name, label }) =>
                outcomes[name] === undefined ? [] : [{ title: label, outcomes: outcomes[name] }],
              ),
            }),
          }),
          bounds: [
            ...boundsByHand(of),
            ...(i === 0 ? [...boundsByHand(of, smallOfByHand), ...boundsOfOthers(of)] : []),
          ],
        }
      }),
    ]
  },
})

export const synced = suite({
  name: 'synced',
  measure(run) {
    const size = userSizes[0]!
    return compare(
      run.contenders.present.filter(({ onlyDurability }) => onlyDurability !== 'normal'),
      size,
      'full',
      wantedOf(comparisonTasks(size, run.fewerRounds), (name) => syncing.includes(name)),
      run,
      run.fewerRounds,
    )
  },
  report: (of) => [
    {
      title: 'Synced to the disk',
      blocks: [
        `Values of ${of.size.name}, and each commit synced before it is acknowledged, so that a crash of the machine does not undo it: \`durability: 'full'\`, \`synchronous=FULL\`, and lmdb with its syncs.`,
        tableOf(of),
      ],
    },
  ],
})

const wantedOf = (
  tasks: Readonly<Record<string, ComparisonTask>>,
  wants: (name: string) => boolean,
): Readonly<Record<string, ComparisonTask>> =>
  Object.fromEntries(Object.entries(tasks).filter(([name]) => wants(name)))

async function compare(
  contenders: readonly Contender[],
  size: UserSize,
  durability: Durability,
  tasks: Readonly<Record<string, ComparisonTask>>,
  { race, step, temporary }: Run,
  rounds: number,
): Promise<Comparison> {
  const users = new Users(size)
  const files = contenders.map((contender) => ({ contender, dir: temporary.folder(contender.name) }))
  step('load')
  for (const { contender, dir } of files) {
    const store = await contender.open(dir, users, durability)
    await store.load(users.entries(size.stored))
    await store.close()
  }
  const bytesOnDisk = files.map(({ contender, dir }) => [contender.name, bytesIn(dir) / size.stored] as const)
  const ofFiles = await race(
    Object.fromEntries(
      files.map(({ contender, dir }) => [
        contender.name,
        fileTasks(contender, users, durability, dir, temporary),
      ]),
    ),
    wantedOf(tasks, (name) => opening.includes(name)),
    rounds,
  )

  await using opened = new AsyncDisposableStack()
  const racers: Record<string, Racer> = {}
  for (const { contender, dir } of files) {
    const store = opened.adopt(await contender.open(dir, users, durability), closeStore)
    racers[contender.name] = storeTasks(store, users)
  }
  const ofStores = await race(
    racers,
    wantedOf(tasks, (name) => !opening.includes(name)),
    rounds,
  )
  return {
    size,
    valueBytes: users.bytes,
    outcomes: { ...ofStores, ...ofFiles },
    bytesOnDisk: Object.fromEntries(bytesOnDisk),
  }
}

function tableOf({ outcomes, bytesOnDisk }: Comparison): string {
  const contenders = Object.keys(bytesOnDisk)
  const rows = labels.flatMap(({ name, label }) => {
    const of = outcomes[name]
    return of === undefined ? [] : [[label, ...contenders.map((contender) => of[contender])]]
  })
  const bytes = Object.values(bytesOnDisk).map((perRow) => `${formatCount(Math.round(perRow))} B`)
  return table(['', ...contenders], [...rows, ['on the disk, per row', ...bytes]])
}

const boundsByHand = (of: Comparison, limits = ofByHand): Bound[] => [
  ...boundsOf(of, 'valkeyrie', 'by hand', limits, atMost),
  ...boundsOf(of, 'valkeyrie repository', 'by hand', limits, atMost),
]

const boundsOfOthers = (of: Comparison): Bound[] =>
  Object.entries(fasterThan).flatMap(([other, limits]) =>
    boundsOf(of, 'valkeyrie', other, limits, timesFaster),
  )

/** None on what was not measured. */
const boundsOf = (
  { size, outcomes }: Comparison,
  own: 'valkeyrie' | 'valkeyrie repository',
  against: string,
  limits: Readonly<Record<string, number>>,
  bound: typeof atMost,
): Bound[] =>
  Object.entries(limits).flatMap(([name, limit]) => {
    const of = outcomes[name]
    const face = own === 'valkeyrie' ? '' : ' by repository'
    return of === undefined
      ? []
      : [bound(limit, { what: `${name}${face}, ${size.name}`, against, own: of[own], other: of[against] })]
  })
