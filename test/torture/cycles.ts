import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { Attack } from './attack.ts'
import { Program } from './program.ts'

export const cycleKinds = [
  'open and close',
  'open and close in memory',
  'watch and cancel',
  'watch and abort',
  'watchMany and cancel',
  'changes and cancel',
  'a list that is left',
  'reads that are aborted',
  'snapshots',
  'units of work that throw',
  'prepared queries',
  'writes',
] as const
export type CycleKind = (typeof cycleKinds)[number]

/** What a process has, when it has nothing to do. */
export interface Footprint {
  /** Bytes of objects, after garbage was collected. */
  readonly heap: number
  readonly rss: number
  readonly descriptors: number
}

/** Cycles of each kind in a round. */
const perRound = 20
/** Rounds that are needed to tell a slope from noise, after as many and more that warm up. */
const fewestJudged = 8
/** Bytes: a cycle leaves behind no less, and what is compiled and cached once, however many cycles there are, is no more. */
const limits = {
  heap: { ofCycle: 32, once: 4e6 },
  // Its allocators keep pages for later.
  rss: { ofCycle: 512, once: 2e8 },
}

/** How much is added from one round to the next, and the standard error of that: a straight line by least squares. */
export function slopeOf(values: readonly number[]): { readonly slope: number; readonly error: number } {
  const n = values.length
  const [meanX, meanY] = [(n - 1) / 2, values.reduce((sum, value) => sum + value, 0) / n]
  let [xx, xy] = [0, 0]
  for (const [x, y] of values.entries()) {
    xx += (x - meanX) ** 2
    xy += (x - meanX) * (y - meanY)
  }
  const slope = xy / xx
  const squares = values.reduce((sum, y, x) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0)
  return { slope, error: Math.sqrt(squares / (n - 2) / xx) }
}

/** Whether values grow by more than this each time, beyond doubt: in both halves, so that one step does not count. */
function grows(values: readonly number[], leak: number): boolean {
  const half = values.length >> 1
  return [values, values.slice(0, half), values.slice(half)].every((part) => {
    const { slope, error } = slopeOf(part)
    return slope - 3 * error > leak
  })
}

/** What grows, of rounds that have warmed up; null where nothing does. */
export function leakOf(rounds: readonly Footprint[], kinds: number): string | null {
  if (rounds.length < fewestJudged) return null
  for (const what of ['heap', 'rss'] as const) {
    const values = rounds.map((footprint) => footprint[what])
    const { ofCycle, once } = limits[what]
    if (grows(values, perRound * kinds * ofCycle + once / rounds.length)) {
      return `${what} grows by ${(slopeOf(values).slope / perRound).toFixed(0)} bytes a cycle`
    }
  }
  const counts = rounds.map(({ descriptors }) => descriptors)
  return grows(counts, 0) ? `descriptors: ${counts.join(' ')}` : null
}

/** Runs rounds of these kinds until there are enough, and returns those after the warm-up. */
async function roundsOf(
  program: Program,
  kinds: readonly CycleKind[],
  another: (rounds: number) => boolean,
): Promise<readonly Footprint[]> {
  const begun = program.lines.length
  let rounds = 0
  for (; another(rounds); rounds++) {
    program.tell(JSON.stringify({ kinds, count: perRound }))
    await program.printed(begun + rounds + 1)
  }
  const footprints = program.lines.slice(begun).map((line) => JSON.parse(line) as Footprint)
  return footprints.slice(Math.floor(rounds / 2))
}

export const cycles: Attack = {
  name: 'cycles',
  promise:
    'What is opened and closed, watched and cancelled or broken off leaves neither memory nor descriptors behind.',
  async run({ folder, another }) {
    using program = new Program('cycles', { path: join(folder, 'data.db') })
    let rounds = 0
    const judged = await roundsOf(program, cycleKinds, () => another() && ++rounds > 0)
    const leak = leakOf(judged, cycleKinds.length)
    if (leak === null) return { 'cycles of each kind': rounds * perRound }
    const by: string[] = []
    for (const kind of cycleKinds) {
      const alone = leakOf(await roundsOf(program, [kind], (done) => done < 2 * judged.length), 1)
      if (alone !== null) by.push(`${kind}: ${alone}`)
    }
    assert.fail(`${leak}. Each kind alone: ${by.join('; ') || 'none grows'}`)
  },
}
