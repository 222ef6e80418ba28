import { serverContenders } from '../../postgres/contenders.ts'
import type { ServerResults } from '../../postgres/measure-postgres.ts'
import { type Place, places } from '../../postgres/places.ts'
import { atOnce } from '../../postgres/tasks.ts'
import { formatCount, formatOutcome } from '../figures.ts'
import { formatTable } from '../table.ts'
import type { Section } from './section.ts'

const titles: Readonly<Record<Place, string>> = {
  here: 'The server on this machine, and each commit on its disk:',
  cloud: 'The same server with 1 ms of network before each answer and `commit_delay` of 2 ms, as in a cloud:',
}

export function postgresSection(results: ServerResults): Section {
  const title = 'On PostgreSQL'
  if ('obstacle' in results) return { title, blocks: [`Not measured: ${results.obstacle}`] }
  const { times, noticed } = results
  const table = (place: Place) => {
    const of = times.filter((it) => it.place === place)
    const lanes = [
      ...new Map(of.map(({ task, processes }) => [`${task} ${processes}`, { task, processes }])).values(),
    ]
    const rows = lanes.map(({ task, processes }) => [
      task,
      formatCount(processes),
      ...serverContenders.map(({ name }) =>
        formatOutcome(
          of.find((it) => it.task === task && it.processes === processes && it.contender === name)?.taken,
        ),
      ),
    ])
    return formatTable([['', 'processes', ...serverContenders.map(({ name }) => name)], ...rows])
  }
  return {
    title,
    blocks: [
      `What an operation takes on a server, where one process does it after the other, or several do at the same time: the time divided by all that they do. Of sets at once, ${atOnce} are awaited together. The processes, the server and what stands between them share this machine.`,
      serverContenders.map(({ name, note }) => `- ${name}: ${note}`).join('\n'),
      ...places.flatMap((place) => [titles[place], table(place)]),
      `A watcher in another process sees a set after ${noticed.median.toFixed(1)} ms, 99 of 100 within ${noticed.slowest.toFixed(1)} ms.`,
    ],
  }
}
