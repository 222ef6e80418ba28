import type { Outcome } from '../../harness/race.ts'

/** A line for each contender that has failed at a task. */
export function failuresOf(
  outcomes: Readonly<Record<string, readonly Outcome[] | undefined>>,
  contenders: readonly string[],
): string[] {
  return Object.entries(outcomes).flatMap(([task, of = []]) =>
    of.flatMap((outcome, i) =>
      outcome !== null && 'failure' in outcome
        ? [`- ${contenders[i]} failed at “${task}”: ${outcome.failure}`]
        : [],
    ),
  )
}
