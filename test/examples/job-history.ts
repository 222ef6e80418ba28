import type { Change } from 'valkeyrie'
import type { DeadLetter, Job } from '../../examples/job-queue/database.ts'
import type { Terms } from '../../examples/job-queue/lease.ts'

interface Receipt {
  readonly attempt: number
}

/**
 * What each change of a queue has to keep to, held against the log of all commits: a job is taken when it is due and not before,
 * each time as the next attempt and under a token of its own; only what somebody has is renewed, fails or ends; and a job ends in
 * one commit with its receipt or with its dead letter, by the attempt that has it. Gives a sentence for each change that does not.
 */
export function violationsOf(changes: readonly Change[], terms: Terms): string[] {
  const violations: string[] = []
  const jobs = new Map<string, Job>()
  const tokens = new Set<string>()
  const receipts = new Set<string>()

  for (const [versionstamp, commit] of Map.groupBy(changes, (change) => change.versionstamp)) {
    for (const { key, type, value } of commit) {
      const id = String(key[1])
      const rule = (holds: boolean, violation: string) => {
        if (!holds) violations.push(`${versionstamp}: job ${id} ${violation}`)
      }
      if (key[0] === 'receipts') {
        rule(!receipts.has(id), 'has its effect twice')
        rule(valueIn(commit, 'jobs', id) === null, 'has its effect, and goes on')
        receipts.add(id)
      } else if (key[0] === 'jobs') {
        const before = jobs.get(id)
        if (type === 'set') {
          const after = value as Job
          jobs.set(id, after)
          if (before === undefined) rule(after.attempts === 0 && after.lease === null, 'is born as taken')
          else checkStep(before, after)
        } else {
          jobs.delete(id)
          const receipt = valueIn(commit, 'receipts', id) as Receipt | undefined
          const letter = valueIn(commit, 'dead-letters', id) as DeadLetter | undefined
          rule(
            (receipt === undefined) !== (letter === undefined),
            'ends with neither effect nor letter, or both',
          )
          rule(before?.lease != null, 'ends, and nobody has it')
          rule(
            (receipt?.attempt ?? letter?.attempts) === before?.attempts,
            'ends by an attempt that has it not',
          )
        }
      }

      function checkStep(before: Job, after: Job): void {
        if (after.lease === null) {
          rule(before.lease !== null, 'fails, and nobody has it')
          rule(after.attempts === before.attempts && after.error !== null, 'fails without a trace')
        } else if (after.lease.token === before.lease?.token) {
          rule(after.attempts === before.attempts, 'is renewed as another attempt')
        } else {
          const takenAt = after.runAt.getTime() - terms.lease
          rule(takenAt >= before.runAt.getTime(), 'is taken before it is due')
          rule(after.attempts === before.attempts + 1, 'is taken, and not as the next attempt')
          rule(after.attempts <= terms.attempts, 'is taken too often')
          rule(!tokens.has(after.lease.token), 'is taken under a token that was there before')
          tokens.add(after.lease.token)
        }
      }
    }
  }
  return violations
}

/** What a commit has left of a row; `undefined` where it has not touched it. */
function valueIn(commit: readonly Change[], collection: string, id: string): unknown {
  return commit.find(({ key }) => key[0] === collection && key[1] === id)?.value
}
