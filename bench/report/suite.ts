import type { Contenders } from '../contenders/contenders.ts'
import type { Load, Outcomes, Racer } from '../harness/race.ts'
import type { Bound } from './bound.ts'
import type { Chart } from './chart.ts'

/** Something that is measured by itself: what is measured, how the page tells it, and what is promised of it. */
export interface Suite<Measured = unknown> {
  /** Chooses it on the command line. */
  readonly name: string
  /** Its parts that can be chosen by themselves. */
  readonly tasks?: readonly string[]
  measure(run: Run): Promise<Measured>
  report(measured: Measured): readonly Section[]
}

/** A run of the bench, as a suite sees it. */
export interface Run {
  /** For trying out, with too few rounds to rely on. */
  readonly quick: boolean
  readonly contenders: Contenders
  /** Rounds that count, for small values and the queries, and for all else. */
  readonly rounds: number
  readonly fewerRounds: number
  wants(task: string): boolean
  /** Tells what is being measured. */
  step(text: string): void
  race(
    racers: Readonly<Record<string, Racer>>,
    loads: Readonly<Record<string, Load>>,
    rounds: number,
  ): Promise<Outcomes>
}

/** A part of the page, in Markdown, and what is promised of it. */
export interface Section {
  /** Left out where nothing is told but the bounds. */
  readonly title?: string
  /** Paragraphs and tables. */
  readonly blocks?: readonly string[]
  /** Stands behind the blocks. */
  readonly chart?: Chart
  readonly bounds?: readonly Bound[]
}

export const formatSection = ({ title, blocks = [] }: Section): string =>
  [`## ${title}`, ...blocks].join('\n\n')

/** Lets the compiler find out what a suite measures. */
export const suite = <Measured>(it: Suite<Measured>): Suite<Measured> => it
