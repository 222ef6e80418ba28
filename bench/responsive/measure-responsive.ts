import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { temporaryFolder } from '../harness/temporary-folder.ts'
import { quantile } from '../harness/timing.ts'
import { engineCalls, indexBuild, prepareByHand } from './engine-calls.ts'
import { type FileSizes, measureFileSizes } from './file-sizes.ts'
import { type Gap, longestGap, timeToAbort, workedSoFar } from './longest-gap.ts'
import { expireAll, openByHand, openPeople, writePeople } from './people.ts'
import { works } from './work.ts'

/** How long the event loop stands still: medians over the rounds, in milliseconds. */
export interface Responsiveness {
  readonly works: readonly (Gap & { readonly work: string; readonly abort: number | null })[]
  /** Where the engine does a part of the work in one go: the longest gap, and how much the thread works on that part by hand. */
  readonly calls: readonly (Gap & { readonly call: string; readonly byHand: number })[]
  readonly files: FileSizes
}

/** Milliseconds after which work is aborted. */
const abortAfter = 20

/** What the process that measures tells. */
type Message = { readonly task: string } | { readonly measured: Responsiveness }

/** In a process of its own, as a program is: what other measurements leave in the heap is no part of a gap. */
export async function measureResponsive(
  rounds: number,
  onTask: (task: string) => void,
): Promise<Responsiveness> {
  const child = fork(import.meta.filename, [String(rounds)])
  let measured: Responsiveness | undefined
  child.on('message', (message: Message) => {
    if ('task' in message) onTask(message.task)
    else measured = message.measured
  })
  await once(child, 'disconnect')
  if (measured === undefined) throw new Error('the process that measures the event loop has failed')
  return measured
}

async function measureHere(rounds: number, onTask: (task: string) => void): Promise<Responsiveness> {
  using temporary = temporaryFolder()
  onTask('write the file')
  const copy = await writePeople(temporary.path)
  const measured: Responsiveness['works'][number][] = []
  for (const [work, run] of Object.entries(works)) {
    onTask(work)
    const gaps: Gap[] = []
    const aborts: number[] = []
    for (let round = 0; round <= rounds; round++) {
      const open = async () => {
        const path = copy()
        if (work === 'sweep') expireAll(path)
        return openPeople(path)
      }
      await using db = await open()
      await using other = await open()
      const gap = await longestGap(() => run(db, undefined, temporary.path))
      const abort = await timeToAbort((signal) => run(other, signal, temporary.path), abortAfter)
      if (round === 0) continue
      gaps.push(gap)
      if (abort !== null) aborts.push(abort)
    }
    measured.push({ work, ...medians(gaps), abort: aborts.length === 0 ? null : median(aborts) })
  }

  const calls: Responsiveness['calls'][number][] = []
  const addCall = async (
    call: string,
    valkeyrie: (path: string) => Promise<Gap>,
    byHand: (database: ReturnType<typeof openByHand>) => void,
  ) => {
    onTask(call)
    const own: Gap[] = []
    const hands: number[] = []
    for (let round = 0; round <= rounds; round++) {
      const gap = await valkeyrie(copy())
      const database = openByHand(copy())
      prepareByHand(database)
      const began = workedSoFar()
      byHand(database)
      const took = workedSoFar() - began
      database.close()
      if (round === 0) continue
      own.push(gap)
      hands.push(took)
    }
    calls.push({ call, ...medians(own), byHand: median(hands) })
  }
  for (const [call, { valkeyrie, byHand }] of Object.entries(engineCalls)) {
    const gapOf = async (path: string) => {
      await using db = await openPeople(path)
      return await longestGap(() => valkeyrie(db))
    }
    await addCall(call, gapOf, byHand)
  }
  await addCall(
    'open with a new index',
    (path) => longestGap(() => indexBuild.valkeyrie(path)),
    indexBuild.byHand,
  )
  onTask('sizes of files')
  return { works: measured, calls, files: await measureFileSizes(join(temporary.path, 'sizes.db')) }
}

const medians = (gaps: readonly Gap[]): Gap => ({
  gap: median(gaps.map(({ gap }) => gap)),
  worked: median(gaps.map(({ worked }) => worked)),
})

const median = (values: readonly number[]): number =>
  quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  )

if (import.meta.main) {
  const tell = (message: Message) => process.send!(message)
  const measured = await measureHere(Number(process.argv[2]), (task) => tell({ task }))
  tell({ measured })
  process.disconnect()
}
