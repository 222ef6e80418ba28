import { summarize, type Timing } from '../harness/timing.ts'
import { WorkerProcess } from '../harness/worker-process.ts'
import { userSizes } from '../values/user.ts'
import { Users } from '../values/users.ts'
import { type Noticed, noticeChanges } from '../watchers/measure-noticing.ts'
import type { ClientOrder, ClientReport } from './client.ts'
import { serverContenders } from './contenders.ts'
import { openPlaces, type Place, type Places, places } from './places.ts'
import { type ServerTask, serverTasks } from './tasks.ts'

/** What an operation took where so many processes did the same at the same time: nanoseconds, divided by all that they did. */
export interface ServerTimes {
  readonly place: Place
  readonly task: ServerTask
  readonly processes: number
  readonly contender: string
  readonly taken: Timing
}

/** Or why no server runs here. */
export type ServerResults =
  | { readonly obstacle: string }
  | { readonly times: readonly ServerTimes[]; readonly noticed: Noticed }

export interface ServerPace {
  readonly counts: readonly number[]
  readonly rounds: number
  readonly milliseconds: number
  readonly changes: number
}

export async function measurePostgres(
  pace: ServerPace,
  onTask: (task: string) => void,
): Promise<ServerResults> {
  onTask('start the server')
  let opened: Places
  try {
    opened = await openPlaces()
  } catch (error) {
    return { obstacle: (error as Error).message }
  }
  const clients: WorkerProcess[] = []
  try {
    const users = new Users(userSizes[0]!)
    const entries = [...users.entries(userSizes[0]!.stored)]
    for (const contender of serverContenders) {
      for (const place of places) {
        const store = await contender.open(opened.address(place, contender.name))
        await store.load(entries)
        await store.close()
        await opened.tidyUp(place, contender.name)
      }
    }
    const script = new URL('./client.ts', import.meta.url)
    const starting = Array.from({ length: Math.max(...pace.counts) }, (_, n) =>
      WorkerProcess.start(script, [`${n}`]),
    )
    clients.push(...(await Promise.all(starting)))
    const times = await raceClients(opened, clients, pace, onTask)
    onTask('changes of another process')
    return { times, noticed: await noticeChanges(opened.address('here', 'valkeyrie'), pace.changes) }
  } finally {
    for (const client of clients) client.end()
    await opened.end()
  }
}

/** In turns: all contenders and numbers of processes do one task, one after the other, and begin with another one in the next round. */
async function raceClients(
  { address }: Places,
  clients: readonly WorkerProcess[],
  { counts, rounds, milliseconds }: ServerPace,
  onTask: (task: string) => void,
): Promise<readonly ServerTimes[]> {
  const times: ServerTimes[] = []
  for (const place of places) {
    for (const task of serverTasks) {
      onTask(`${task}, ${place}`)
      const lanes = counts.flatMap((processes) =>
        serverContenders.map(({ name }) => ({ processes, contender: name, samples: [] as number[] })),
      )
      for (let round = 0; round <= rounds; round++) {
        for (let at = 0; at < lanes.length; at++) {
          const { processes, contender, samples } = lanes[(round + at) % lanes.length]!
          const order: ClientOrder = { contender, address: address(place, contender), task, milliseconds }
          const reports = await Promise.all(
            clients.slice(0, processes).map((client) => client.ask<ClientReport>(order)),
          )
          // The first round warms up.
          if (round > 0 && reports[0] !== null) samples.push(takenBy(reports))
        }
      }
      for (const { samples, ...lane } of lanes) {
        if (samples.length > 0) times.push({ place, task, ...lane, taken: summarize(samples) })
      }
    }
  }
  return times
}

const takenBy = (reports: readonly ClientReport[]): number =>
  1e6 / reports.reduce((rate, report) => rate + report!.operations / report!.milliseconds, 0)
