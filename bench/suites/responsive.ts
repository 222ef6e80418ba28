import { statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { Valkeyrie } from 'valkeyrie'
import { startChild } from '../harness/child.ts'
import { median } from '../harness/timing.ts'
import { inTurns } from '../harness/turns.ts'
import type { EventLoop } from '../programs/event-loop.ts'
import { namesByHand } from '../programs/event-loop-by-hand.ts'
import { atMost, within } from '../report/bound.ts'
import { megabytes, milliseconds } from '../report/figures.ts'
import { suite, table } from '../report/suite.ts'

const bounds = {
  /** The longest gap of a timer and the time until aborted work has ended, in ms. */
  gap: 25,
  abort: 50,
  /** How many times as long as the engine by hand a call that cannot be split may take. */
  engineCall: 3,
  /** MiB of the write-ahead log of a quiet database, and commits in the log of commits for each that it keeps. */
  wal: 18,
  log: 1.1,
}

const keeps = 5_000

/** In a process of its own, as a program is: what other measurements leave in the heap is no part of a gap. */
export const responsive = suite({
  name: 'responsive',
  async measure({ quick, step, temporary }) {
    const rounds = quick ? 1 : 5
    using child = await startChild<EventLoop>('event-loop')
    step('write the file')
    const file = await child.call('write', temporary.path)

    const works = []
    for (const work of file.works) {
      step(work)
      const { own } = await inTurns({ own: () => child.call('work', file.path, work) }, rounds)
      const aborts = own!.flatMap(({ abort }) => (abort === null ? [] : [abort]))
      works.push({ work, ...medians(own!), abort: aborts.length === 0 ? null : median(aborts) })
    }

    const calls = []
    for (const call of file.calls) {
      step(call)
      const { own } = await inTurns({ own: () => child.call('engineCall', file.path, call) }, rounds)
      calls.push({ call, ...medians(own!), byHand: median(own!.map(({ byHand }) => byHand)) })
    }
    step('sizes of files')
    return { works, calls, sizes: await measureSizes(join(temporary.path, 'sizes.db')) }
  },
  report({ works, calls, sizes }) {
    const [ms, mb] = [milliseconds(0), megabytes(1)]
    const { afterCommit, afterReader, log } = sizes
    return [
      {
        title: 'The event loop, and the sizes of files',
        blocks: [
          'How long a timer of one millisecond waits at most while a program of its own works on 50,000 rows of a file, how long the thread works at most between two of its ticks, which is the same on a machine that does nothing else, and how long work goes on after its signal was aborted. Blank: it is done before, or takes no signal. Where all rows are kept in memory, the longest gap is a collection of V8, which copies what has survived; by hand, with a pause after each ten milliseconds, it is as long.',
          table(
            ['', 'longest gap', 'at work', 'until aborted'],
            works.map(({ work, gap, worked, abort }) => [
              work,
              ms(gap),
              ms(worked),
              abort === null ? '' : ms(abort),
            ]),
          ),
          'Calls of the engine that cannot be split, and the same statements by hand, for which everything is prepared beforehand.',
          table(
            ['', 'longest gap', 'at work', 'by hand'],
            calls.map(({ call, gap, worked, byHand }) => [call, ms(gap), ms(worked), ms(byHand)]),
          ),
          'The write-ahead log at its peak and once the database is quiet; and the log of commits, after six times as many as it is to keep.',
          table(
            ['', 'at its peak', 'quiet'],
            [
              ['after one commit of 35 MB', mb(afterCommit.peak), mb(afterCommit.quiet)],
              ['after a reader held it back', mb(afterReader.peak), mb(afterReader.quiet)],
              [
                `log of commits, ${keeps} kept`,
                `${log.commits} commits`,
                `${(log.bytes / log.commits).toFixed(0)} B each`,
              ],
            ],
          ),
        ],
        bounds: [
          ...works
            .filter(({ work }) => !namesByHand.includes(work))
            .flatMap(({ work, gap, abort }) => [
              within(`longest gap: ${work}`, gap, bounds.gap, ms),
              ...(abort === null ? [] : [within(`until aborted: ${work}`, abort, bounds.abort, ms)]),
            ]),
          ...calls.map(({ call, worked, byHand }) =>
            atMost(bounds.engineCall, {
              what: `at work in one go: ${call}`,
              against: 'by hand',
              own: exactly(worked),
              other: exactly(byHand),
            }),
          ),
          within('write-ahead log after a large commit', afterCommit.quiet, bounds.wal, megabytes(0)),
          within('write-ahead log after a reader', afterReader.quiet, bounds.wal, megabytes(0)),
          within('log of commits, of what it keeps', log.commits / keeps, bounds.log, (it) => it.toFixed(2)),
        ],
      },
    ]
  },
})

const exactly = (value: number) => ({ median: value, low: value, high: value })

const medians = (all: readonly { readonly gap: number; readonly worked: number }[]) => ({
  gap: median(all.map(({ gap }) => gap)),
  worked: median(all.map(({ worked }) => worked)),
})

/** In MiB, at the peak and once the database was quiet; and of the log of commits. */
async function measureSizes(path: string) {
  await using db = await Valkeyrie.open(path, { log: { keepRows: keeps } })
  const value = 'x'.repeat(50_000)
  const wal = () => statSync(`${path}-wal`).size / 2 ** 20
  const writeMuch = async () => {
    const atomic = db.atomic()
    for (let n = 0; n < 700; n++) atomic.set(['large', n], value)
    await atomic.commit()
  }
  const quiet = async () => {
    // Looked for after a second without commits.
    await wait(4_500)
    return wal()
  }
  await writeMuch()
  const afterCommit = { peak: wal(), quiet: await quiet() }
  const reader = new Database(path, { readonly: true })
  reader.exec('BEGIN')
  reader.prepare('SELECT count(*) FROM kv').get()
  for (let round = 0; round < 2; round++) await writeMuch()
  const peak = wal()
  reader.close()
  const afterReader = { peak, quiet: await quiet() }
  for (let n = 0; n < 6 * keeps; n += 500)
    await Promise.all(Array.from({ length: 500 }, (_, i) => db.set(['small', i], n)))
  const log = new Database(path, { readonly: true })
  const [commits, bytes] = log
    .prepare('SELECT count(*), sum(length(changes)) FROM kv_log WHERE version > 0')
    .raw()
    .get() as [number, number]
  log.close()
  return { afterCommit, afterReader, log: { commits, bytes } }
}
