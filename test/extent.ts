import { seedOfThisRun } from './concurrency/random.ts'

/**
 * How much a test does: enough to show what it promises in `npm test`, all that the promise names in `npm run torture`. It is printed, so that
 * a run says what it has shown.
 */
export function extent(what: string, usual: number, full: number): number {
  const count = isFull() ? full : usual
  tell(what, count, full)
  return count
}

/**
 * Trials of one law: in `npm test` every `step`-th of them, from where the seed of the run says, so that its runs come to all; in
 * `npm run torture` all. It is printed how many. With one seed, lists of which one starts `from` a trial later than the other have none in common.
 */
export function inTurn<Trial>(
  what: string,
  trials: readonly Trial[],
  step: number,
  from = 0,
): readonly Trial[] {
  const first = seedOfThisRun() + from
  const chosen = isFull() ? trials : trials.filter((_, at) => (at + first) % step === 0)
  tell(what, chosen.length, trials.length)
  return chosen
}

const isFull = () => process.env[fullLength] === '1'

function tell(what: string, count: number, full: number): void {
  console.log(`${what}: ${count.toLocaleString('en')} of ${full.toLocaleString('en')}`)
}

/** The variable of the environment that asks for all. */
export const fullLength = 'VALKEYRIE_FULL_LENGTH'
