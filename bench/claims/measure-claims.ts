import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expectEqual } from '../harness/expect-equal.ts'
import { temporaryFolder } from '../harness/temporary-folder.ts'
import { summarize, type Timing } from '../harness/timing.ts'
import { type ClaimContender, type ClaimOrder, claimContenders } from './claimer.ts'

/** What each claim took where so many processes claimed the jobs of one file, one by one, until there were none. */
export interface ClaimTimes {
  readonly processes: number
  readonly byHand: Timing
  readonly valkeyrie: Timing
}

export interface ClaimOptions {
  readonly counts: readonly number[]
  readonly rounds: number
  readonly jobs: number
  readonly onTask: (task: string) => void
}

const script = fileURLToPath(new URL('./claimer.ts', import.meta.url))
const contenders = Object.keys(claimContenders) as readonly ClaimContender[]

export async function measureClaims({
  counts,
  rounds,
  jobs,
  onTask,
}: ClaimOptions): Promise<readonly ClaimTimes[]> {
  using temporary = temporaryFolder()
  const teams = contenders.map((contender) => ({
    contender,
    claimers: Array.from({ length: Math.max(...counts) }, () => fork(script, [contender])),
  }))
  try {
    onTask('start the processes')
    for (const { claimers } of teams) for (const claimer of claimers) await answer(claimer)
    const lanes = counts.flatMap((count) =>
      teams.map(({ contender, claimers }) => ({
        contender,
        claimers: claimers.slice(0, count),
        times: [] as number[],
      })),
    )
    for (let round = 0; round <= rounds; round++) {
      onTask(round === 0 ? 'warm up' : `round ${round} of ${rounds}`)
      for (let place = 0; place < lanes.length; place++) {
        const { contender, claimers, times } = lanes[(round + place) % lanes.length]!
        const took = await claimTogether(contender, claimers, temporary.folder('claims'), jobs)
        if (round > 0) times.push((took * 1e6) / jobs)
      }
    }
    const timing = (contender: ClaimContender, count: number) =>
      summarize(lanes.find((lane) => lane.contender === contender && lane.claimers.length === count)!.times)
    return counts.map((processes) => ({
      processes,
      byHand: timing('by hand', processes),
      valkeyrie: timing('valkeyrie repository', processes),
    }))
  } finally {
    for (const { claimers } of teams) for (const claimer of claimers) claimer.kill()
  }
}

/** Milliseconds until all jobs are claimed; each of them once, by whichever process. */
async function claimTogether(
  contender: ClaimContender,
  claimers: readonly ChildProcess[],
  dir: string,
  jobs: number,
): Promise<number> {
  const file = await claimContenders[contender](dir)
  await file.fill(jobs)
  for (const [i, claimer] of claimers.entries()) {
    claimer.send({ dir, by: `process-${i}` } satisfies ClaimOrder)
    await answer(claimer)
  }
  const before = performance.now()
  const reports = claimers.map(async (claimer, i) => {
    const report = answer(claimer)
    claimer.send('start')
    return [`process-${i}`, ((await report) as { readonly claimed: number }).claimed] as const
  })
  const claimed = (await Promise.all(reports)).filter(([, count]) => count > 0)
  const took = performance.now() - before
  expectEqual(await file.counts(), Object.fromEntries(claimed), 'claimed jobs by process')
  expectEqual(
    claimed.reduce((sum, [, count]) => sum + count, 0),
    jobs,
    'claimed jobs',
  )
  await file.close()
  return took
}

async function answer(claimer: ChildProcess): Promise<unknown> {
  const answered = new AbortController()
  const { signal } = answered
  const exit = once(claimer, 'exit', { signal }).then(([code, cause]) => {
    throw new Error(`a claiming process has ended (${code ?? cause})`)
  })
  try {
    const [message] = await Promise.race([once(claimer, 'message', { signal }), exit])
    return message
  } finally {
    exit.catch(() => {})
    answered.abort()
  }
}
