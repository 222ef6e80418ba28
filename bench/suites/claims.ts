import { type ClaimContender, claimContenders } from '../contenders/claims.ts'
import { expectEqual } from '../harness/calls.ts'
import { type Child, startChildren } from '../harness/child.ts'
import { summarize } from '../harness/timing.ts'
import { inTurnsOf } from '../harness/turns.ts'
import type { Claimer } from '../programs/claimer.ts'
import { atMost } from '../report/bound.ts'
import { formatNumberOf } from '../report/figures.ts'
import { suite, table } from '../report/suite.ts'

/** How many times as long as by hand a claim may take, and as long as with one process fewer. */
const bounds = { byHand: 2, more: 1.2 }

const counts = [1, 2, 3]
const jobs = 1_000
/** How often each process first claims all by itself: where one is faster, the others would have no chance to warm up. */
const warmUps = 15
const contenders = Object.keys(claimContenders) as readonly ClaimContender[]

export const claims = suite({
  name: 'claims',
  async measure(run) {
    run.step('start the processes')
    using started = new DisposableStack()
    const claimers: Record<string, readonly Child<Claimer>[]> = {}
    for (const contender of contenders)
      claimers[contender] = started.use(await startChildren<Claimer>('claimer', Math.max(...counts))).all
    run.step('warm up')
    for (let round = 0; round < (run.quick ? 2 : warmUps); round++) {
      for (const contender of contenders) {
        for (const claimer of claimers[contender]!)
          await claimTogether(contender, [claimer], run.temporary.folder('claims'))
      }
    }
    run.step('claim')
    const samples = await inTurnsOf(contenders, counts, run.quick ? 5 : 25, (contender, count) =>
      claimTogether(contender, claimers[contender]!.slice(0, count), run.temporary.folder('claims')),
    )
    return counts.map((processes) => ({
      processes,
      byHand: summarize(samples('by hand', processes)),
      valkeyrie: summarize(samples('valkeyrie repository', processes)),
    }))
  },
  report: (times) => [
    {
      title: 'Claims by several processes',
      blocks: [
        'A thousand jobs in one file, claimed one by one until there are none: `claimMany` with a `limit` of 1, beside `UPDATE … RETURNING`; what each claim takes with all processes together, after each has claimed thousands by itself. By hand, a claim is one statement, without a log of changes. With valkeyrie it is a query, a validated value and a commit, which writes one page more, of the log. With several processes, the time ends when the last of them, which may be asleep, has seen that no job is left.',
        table(
          ['processes', 'by hand', 'valkeyrie'],
          times.map(({ processes, byHand, valkeyrie }) => [String(processes), byHand, valkeyrie]),
        ),
      ],
      bounds: times.flatMap(({ processes, byHand, valkeyrie }, i) => {
        const own = { what: `claims by ${formatNumberOf(processes, 'process', 'processes')}`, own: valkeyrie }
        const fewer = times[i - 1]
        return [
          atMost(bounds.byHand, { ...own, against: 'by hand', other: byHand }),
          ...(fewer === undefined
            ? []
            : [atMost(bounds.more, { ...own, against: `by ${fewer.processes}`, other: fewer.valkeyrie })]),
        ]
      }),
    },
  ],
})

/** Nanoseconds for each job until all are claimed; each of them once, by whichever process. */
async function claimTogether(
  contender: ClaimContender,
  claimers: readonly Child<Claimer>[],
  dir: string,
): Promise<number> {
  const file = await claimContenders[contender](dir)
  await file.fill(jobs)
  for (const claimer of claimers) await claimer.call('open', contender, dir)
  const before = performance.now()
  const claimed = await Promise.all(claimers.map((claimer, i) => claimer.call('claimAll', `process-${i}`)))
  const taken = ((performance.now() - before) * 1e6) / jobs
  for (const claimer of claimers) await claimer.call('close')
  const byProcess = claimed.map((count, i) => [`process-${i}`, count] as const)
  expectEqual(
    await file.counts(),
    Object.fromEntries(byProcess.filter(([, count]) => count > 0)),
    'claimed jobs by process',
  )
  expectEqual(
    claimed.reduce((sum, count) => sum + count, 0),
    jobs,
    'claimed jobs',
  )
  await file.close()
  return taken
}
