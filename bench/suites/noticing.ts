import { join } from 'node:path'
import { Valkeyrie } from 'valkeyrie'
import { startChild } from '../harness/child.ts'
import { temporaryFolder } from '../harness/temporary-folder.ts'
import { quantile } from '../harness/timing.ts'
import type { Change, WatchedFile } from '../programs/watched-file.ts'
import { within } from '../report/bound.ts'
import { formatDuration, milliseconds } from '../report/figures.ts'
import { suite } from '../report/suite.ts'
import { table } from '../report/table.ts'

/** Milliseconds until a change of another process is seen, and the share of a core that an idle watcher may take. */
const noticed = { median: 10, slowest: 50, idle: 0.01 }

export const noticing = suite({
  name: 'watchers',
  async measure(run) {
    using temporary = temporaryFolder()
    const path = join(temporary.path, 'watched.db')
    run.step('changes of another process')
    const seen = await noticeChanges(path, 1_000)
    run.step('an idle watcher')
    using child = await startChild<WatchedFile>('watched-file')
    return { ...seen, idle: await child.call('watchIdly', path) }
  },
  report: ({ median, slowest, idle }) => [
    {
      title: 'Changes of other processes',
      blocks: [
        'From the moment before a set, in another process that makes one every few milliseconds, until a watcher has the new value; and the share of a core that a watcher takes while nothing happens.',
        table(
          ['median', '99 of 100 within', 'idle'],
          [[formatDuration(median * 1e6), formatDuration(slowest * 1e6), `${(idle * 100).toFixed(2)}%`]],
        ),
      ],
      bounds: [
        within('a change of another process is seen, median', median, noticed.median, milliseconds(1)),
        within('99 of 100 changes', slowest, noticed.slowest, milliseconds(1)),
        within('an idle watcher', idle, noticed.idle, (share) => `${(share * 100).toFixed(2)}% of a core`),
      ],
    },
  ],
})

/**
 * How soon a watcher sees so many changes of another process, in ms; `slowest` is the 99th of 100. One that was overwritten
 * before it was seen has no time of its own.
 */
export async function noticeChanges(
  path: string,
  changes: number,
): Promise<{ readonly median: number; readonly slowest: number }> {
  await using db = await Valkeyrie.open(path)
  using child = await startChild<WatchedFile>('watched-file')
  const writing = child.call('change', path, changes)
  const latencies: number[] = []
  for await (const [{ value }] of db.watch([['watched']])) {
    if (value === null) continue
    const { n, at } = value as Change
    latencies.push(Number(process.hrtime.bigint()) / 1e6 - at)
    if (n === changes) break
  }
  await writing
  latencies.sort((a, b) => a - b)
  return { median: quantile(latencies, 0.5), slowest: quantile(latencies, 0.99) }
}
