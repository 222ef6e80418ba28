import { type Child, startChildren } from '../harness/child.ts'
import { summarize, type Timing } from '../harness/timing.ts'
import { inTurnsOf } from '../harness/turns.ts'
import type { ServerClient } from '../programs/server-client.ts'
import { atMost, within } from '../report/bound.ts'
import { lineChart } from '../report/chart.ts'
import { formatCount, milliseconds } from '../report/figures.ts'
import { suite, table } from '../report/suite.ts'
import { openPlaces, type Place, type Places, placeNames, places } from '../servers/places.ts'
import { atOnce, serverContenders, serverTasks } from '../servers/tasks.ts'
import { userSizes } from '../values/user.ts'
import { Users } from '../values/users.ts'
import { noticeChanges } from './watchers.ts'

/** Milliseconds until a watcher in another process sees a change. */
const bound = 10

/** What an operation took where so many processes did the same at the same time: nanoseconds, divided by all that they did. */
interface ServerTimes {
  readonly place: Place
  readonly task: string
  readonly processes: number
  /** By contender. */
  readonly taken: Readonly<Record<string, Timing>>
}

type Noticed = Awaited<ReturnType<typeof noticeChanges>>

/** Or why no server runs here. */
type ServerResults =
  | { readonly obstacle: string }
  | { readonly times: readonly ServerTimes[]; readonly noticed: Noticed }

interface Pace {
  readonly counts: readonly number[]
  /** Milliseconds of each task that do not count. */
  readonly warmUp: number
  /** More of them where something is promised, because one of them says little on a busy machine. */
  readonly rounds: Readonly<Record<Place, number>>
  readonly milliseconds: number
  readonly changes: number
}

const title = 'On PostgreSQL'
const names = serverContenders.map(({ name }) => name)

export const postgres = suite({
  name: 'postgres',
  async measure({ quick, step }): Promise<ServerResults> {
    step('start the server')
    let opened: Places
    try {
      opened = await openPlaces()
    } catch (error) {
      return { obstacle: (error as Error).message }
    }
    try {
      return await measureOn(
        opened,
        quick
          ? { counts: [1, 4], warmUp: 100, rounds: { here: 1, cloud: 1 }, milliseconds: 100, changes: 100 }
          : {
              counts: [1, 4, 8, 16],
              warmUp: 1_500,
              rounds: { here: 11, cloud: 3 },
              milliseconds: 150,
              changes: 1_000,
            },
        step,
      )
    } finally {
      await opened.end()
    }
  },
  report(results) {
    if ('obstacle' in results) return [{ title, blocks: [`Not measured: ${results.obstacle}`] }]
    const { times, noticed } = results
    const one = (task: string) =>
      times.find((of) => of.place === 'here' && of.processes === 1 && of.task === task)?.taken
    return [
      {
        title,
        blocks: [
          `What an operation takes on a server, where one process does it after the other, or several do at the same time: the time divided by all that they do. Of sets at once, ${atOnce} are awaited together. The processes, the server and what stands between them share this machine.`,
          serverContenders.map(({ name, note }) => `- ${name}: ${note}`).join('\n'),
          ...placeNames.flatMap((place) => [
            places[place],
            table(
              ['', 'processes', ...names],
              times
                .filter((of) => of.place === place)
                .map(({ task, processes, taken }) => [
                  task,
                  formatCount(processes),
                  ...names.map((name) => taken[name]),
                ]),
            ),
          ]),
          `A watcher in another process sees a set after ${noticed.median.toFixed(1)} ms, 99 of 100 within ${noticed.slowest.toFixed(1)} ms.`,
        ],
        // By the clock of the cloud, which waits for the network and the disk.
        chart: lineChart({
          name: 'postgres',
          description: 'Writes of several processes on one far server: how many a second in all',
          x: { title: 'processes' },
          panels: ['set', 'sets at once', 'unit of work'].map((task) => ({
            title: task,
            points: times
              .filter((of) => of.place === 'cloud' && of.task === task)
              .flatMap(({ processes, taken }) =>
                Object.entries(taken).map(([contender, { median }]) => ({
                  contender,
                  x: processes,
                  y: 1e9 / median,
                })),
              ),
          })),
        }),
        bounds: [
          ...Object.entries(serverTasks).flatMap(([task, { ofByHand }]) =>
            ofByHand === undefined
              ? []
              : [
                  atMost(ofByHand, {
                    what: `${task}, PostgreSQL`,
                    against: 'pg by hand',
                    own: one(task)?.['valkeyrie'],
                    other: one(task)?.['pg by hand'],
                  }),
                ],
          ),
          within(
            'a change of another process is seen, PostgreSQL, median',
            noticed.median,
            bound,
            milliseconds(1),
          ),
        ],
      },
    ]
  },
})

async function measureOn(
  { address, tidyUp }: Places,
  { counts, warmUp, rounds, milliseconds, changes }: Pace,
  step: (text: string) => void,
) {
  const size = userSizes[0]!
  const entries = [...new Users(size).entries(size.stored)]
  for (const { name, open } of serverContenders) {
    for (const place of placeNames) {
      const store = await open(address(place, name))
      await store.load(entries)
      await store.close()
      await tidyUp(place, name)
    }
  }
  using clients = await startChildren<ServerClient>('server-client', Math.max(...counts))
  const times: ServerTimes[] = []
  for (const place of placeNames) {
    for (const task of Object.keys(serverTasks)) {
      step(`${task}, ${place}`)
      // Where it is alone, the first one has to run for seconds until its code is compiled.
      for (const name of names)
        await clients.all[0]!.call('repeat', 0, name, address(place, name), task, warmUp)
      const samples = await inTurnsOf(names, counts, rounds[place], (name, count) =>
        takenBy(clients.all.slice(0, count), (client, i) =>
          client.call('repeat', i, name, address(place, name), task, milliseconds),
        ),
      )
      for (const processes of counts) {
        const taken: Record<string, Timing> = {}
        for (const name of names) {
          const all = samples(name, processes).filter((sample) => sample !== null)
          if (all.length > 0) taken[name] = summarize(all)
        }
        times.push({ place, task, processes, taken })
      }
    }
  }
  step('changes of another process')
  return { times, noticed: await noticeChanges(address('here', 'valkeyrie'), changes) }
}

/** Nanoseconds of an operation where all do the same at the same time; null where they cannot do it. */
async function takenBy(
  clients: readonly Child<ServerClient>[],
  repeat: (client: Child<ServerClient>, i: number) => Promise<number | null>,
): Promise<number | null> {
  const rates = await Promise.all(clients.map(repeat))
  return rates[0] === null ? null : 1e6 / rates.reduce<number>((sum, rate) => sum + rate!, 0)
}
