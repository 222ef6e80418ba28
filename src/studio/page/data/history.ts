import { signal } from '@preact/signals'
import type { Sizes } from '../../../driver/stats.ts'
import type { Figures } from '../../process-figures.ts'
import { type CommitJson, listen } from './live.ts'

/**
 * A commit, or a part of a large one, as this page received it: `at` in milliseconds since the epoch, null if it was there before.
 */
export interface ToldCommit extends CommitJson {
  readonly at: number | null
  /** Distinguishes the parts of a commit. */
  readonly part: number
}

/** What happened in one second: `at` is its end, in seconds since the epoch. */
export interface Sample extends Figures, Sizes {
  readonly at: number
  readonly commits: number
  readonly changes: number
}

const mostCommits = 500
const mostSamples = 600

/** The last commits, newest first. */
export const toldCommits = signal<readonly ToldCommit[]>([])
export const gaps = signal<readonly string[]>([])
/** The last minutes, second by second. */
export const samples = signal<readonly Sample[]>([])

let parts = 0
let lastStamp = ''
let commits = 0
let changes = 0
let waiting: ToldCommit[] = []

const keep = (commit: CommitJson, at: number | null) => {
  if (waiting.length === 0) requestAnimationFrame(show)
  waiting.push({ ...commit, at, part: parts++ })
  if (waiting.length > mostCommits) waiting.shift()
}

listen({
  onPast: (commit) => keep(commit, null),
  onCommit(commit) {
    if (commit.versionstamp !== lastStamp) commits += 1
    lastStamp = commit.versionstamp
    changes += commit.changes.length
    keep(commit, Date.now())
  },
  onGap(message) {
    gaps.value = [...gaps.value.slice(-2), message]
  },
  onProcess(figures) {
    const sample = { ...figures, at: Math.round(Date.now() / 1_000), commits, changes }
    samples.value = [...samples.value.slice(1 - mostSamples), sample]
    commits = 0
    changes = 0
  },
})

/** Shows the commits of one frame at once, so that many commits do not draw the page as often. */
function show(): void {
  toldCommits.value = [...waiting.reverse(), ...toldCommits.value].slice(0, mostCommits)
  waiting = []
}
