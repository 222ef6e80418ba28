import { measureChecksums } from './checksums/measure-checksums.ts'
import { measureClaims } from './claims/measure-claims.ts'
import { type Comparison, compare } from './comparison/compare.ts'
import { comparisonTasks, isTaskFor, writingTasks } from './comparison/tasks.ts'
import type { Contenders } from './contenders/contenders.ts'
import { measureGrowth } from './growth/measure-growth.ts'
import { measureIndexes } from './indexes/measure-indexes.ts'
import { measureQueue } from './jobs/measure-jobs.ts'
import { measureMemory } from './memory/measure-memory.ts'
import { measurePostgres } from './postgres/measure-postgres.ts'
import { measureProcesses } from './processes/measure-processes.ts'
import { measureQueries } from './queries/measure-queries.ts'
import { queryTasks } from './queries/tasks.ts'
import { thisMachine } from './report/machine.ts'
import { measureResponsive } from './responsive/measure-responsive.ts'
import type { Results } from './results.ts'
import type { Selection } from './selection.ts'
import { measureStarts } from './starts/measure-starts.ts'
import { measureTracing } from './tracing/measure-tracing.ts'
import { userSizes } from './values/user.ts'
import { measureLiveQueries } from './watchers/measure-live-queries.ts'
import { measureNoticing } from './watchers/measure-noticing.ts'
import { measureWatchers } from './watchers/measure-watchers.ts'

/** Measures what is selected, one after the other. `onStep` is told what is being measured. */
export async function measure(
  contenders: Contenders,
  { pace, wants }: Selection,
  onStep: (step: string) => void,
): Promise<Results> {
  const { present } = contenders
  const { rounds, fewerRounds } = pace
  const during = (suite: string) => ({
    turn: pace.turn,
    enough: pace.enough,
    onTask: (task: string) => onStep(`${suite}: ${task}`),
  })

  const comparisons: Comparison[] = []
  if (comparisonTasks.some(wants)) {
    for (const size of pace.sizes) {
      comparisons.push(
        await compare(present, {
          size,
          durability: 'normal',
          rounds: size === pace.sizes[0] ? rounds : fewerRounds,
          wants: (task) => wants(task) && isTaskFor(size, task),
          race: during(`values of ${size.name}`),
        }),
      )
    }
  }

  return {
    machine: thisMachine(),
    contenders,
    comparisons,
    synced: wants('synced')
      ? await compare(
          present.filter(({ onlyDurability }) => onlyDurability !== 'normal'),
          {
            size: userSizes[0]!,
            durability: 'full',
            rounds: fewerRounds,
            wants: (task) => writingTasks.includes(task),
            race: during('synced'),
          },
        )
      : null,
    queries: queryTasks.some(wants) ? await measureQueries(rounds, wants, during('queries')) : null,
    growth: wants('growth') ? await measureGrowth(pace.growthRows, fewerRounds, during('growth')) : null,
    indexes: wants('indexes') ? await measureIndexes(pace.indexes, fewerRounds, during('indexes')) : null,
    watchers: wants('watchers')
      ? await measureWatchers(present, pace.watchers, fewerRounds, during('watchers'))
      : null,
    liveQueries: wants('watchers')
      ? await measureLiveQueries(pace.readers, fewerRounds, during('live queries'))
      : null,
    noticing: wants('watchers') ? await measureNoticing(during('watchers').onTask) : null,
    processes: wants('processes')
      ? await measureProcesses({ counts: pace.writers, ...pace.writing, ...during('processes') })
      : null,
    postgres: wants('postgres') ? await measurePostgres(pace.postgres, during('postgres').onTask) : null,
    memory: wants('memory') ? await measureMemory(during('memory').onTask) : null,
    starts: wants('starts') ? await measureStarts(pace.starts, during('starts').onTask) : null,
    claims: wants('claims')
      ? await measureClaims({
          counts: [1, 2, 3],
          rounds: pace.starts,
          jobs: 1_000,
          onTask: during('claims').onTask,
        })
      : null,
    jobs: wants('jobs')
      ? await measureQueue({
          atOnce: [1, 10, 100],
          rounds: pace.starts,
          jobs: 2_000,
          schedules: 1_000,
          onTask: during('jobs').onTask,
        })
      : null,
    checksums: wants('checksums') ? await measureChecksums(fewerRounds, during('checksums').onTask) : null,
    tracing: wants('tracing') ? await measureTracing(rounds, during('tracing')) : null,
    responsive: wants('responsive')
      ? await measureResponsive(pace.responsive, during('responsive').onTask)
      : null,
  }
}
