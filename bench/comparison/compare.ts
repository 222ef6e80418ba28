import type { Contender, Durability, Store } from '../contenders/contender.ts'
import { bytesIn } from '../harness/bytes-on-disk.ts'
import { type Outcomes, type RaceOptions, race } from '../harness/race.ts'
import { wantedLoads } from '../harness/task.ts'
import { temporaryFolder } from '../harness/temporary-folder.ts'
import type { UserSize } from '../values/user.ts'
import { Users } from '../values/users.ts'
import { fileTasks } from './file-tasks.ts'
import { storeTasks } from './store-tasks.ts'
import { type ComparisonTask, fileLoads, storeLoads } from './tasks.ts'

/** What the contenders took for the users of one size, each list in the order of the contenders. */
export interface Comparison {
  readonly size: UserSize
  /** What a value takes as JSON. */
  readonly valueBytes: number
  readonly contenders: readonly string[]
  readonly outcomes: Outcomes<ComparisonTask>
  /** What a row takes on the disk, after the stored users were loaded and the file was closed. */
  readonly bytesOnDisk: readonly number[]
}

export interface ComparisonOptions {
  readonly size: UserSize
  readonly durability: Durability
  readonly rounds: number
  readonly wants: (task: ComparisonTask) => boolean
  readonly race: RaceOptions
}

export async function compare(
  contenders: readonly Contender[],
  { size, durability, rounds, wants, race: options }: ComparisonOptions,
): Promise<Comparison> {
  using temporary = temporaryFolder()
  const users = new Users(size)
  const dirs = contenders.map(({ name }) => temporary.folder(name))
  options.onTask?.('load')
  for (const [i, contender] of contenders.entries()) {
    const store = await contender.open(dirs[i]!, users, durability)
    await store.load(users.entries(size.stored))
    await store.close()
  }
  const bytesOnDisk = dirs.map((dir) => bytesIn(dir) / size.stored)

  const files = contenders.map((contender, i) => ({
    name: contender.name,
    tasks: fileTasks(contender, users, durability, dirs[i]!, temporary),
  }))
  const ofFiles = await race(files, wantedLoads(fileLoads(size, rounds), wants), options)

  const stores: Store[] = []
  try {
    for (const [i, contender] of contenders.entries())
      stores.push(await contender.open(dirs[i]!, users, durability))
    const racers = stores.map((store, i) => ({ name: contenders[i]!.name, tasks: storeTasks(store, users) }))
    const ofStores = await race(racers, wantedLoads(storeLoads(size, rounds), wants), options)
    return {
      size,
      valueBytes: users.bytes,
      contenders: contenders.map(({ name }) => name),
      outcomes: { ...ofStores, ...ofFiles },
      bytesOnDisk,
    }
  } finally {
    for (const store of stores) await store.close()
  }
}
