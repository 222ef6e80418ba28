import pg from 'pg'
import { startCluster } from '../../test/postgres/cluster.ts'
import { WorkerProcess } from '../harness/worker-process.ts'
import { serverContenders } from './contenders.ts'

export const places = ['here', 'cloud'] as const

export type Place = (typeof places)[number]

/** Where it is as in a cloud: milliseconds of a round trip, and settings of the server, with 2 ms before a commit is flushed. */
const roundTrip = 1
const settingsOfCloud = ['commit_delay = 2000', 'commit_siblings = 0']

export interface Places {
  /** Of the database of a contender. */
  address(place: Place, contender: string): string
  /** What the server does by itself after a while. */
  tidyUp(place: Place, contender: string): Promise<void>
  end(): Promise<void>
}

/** A server whose commits are on the disk before they are acknowledged, and the same server far away. Rejects with a sentence where none runs. */
export async function openPlaces(): Promise<Places> {
  const settings = { fsync: 'on', full_page_writes: 'on', shared_buffers: '256MB' }
  const cluster = await startCluster({ settings })
  const relay = await WorkerProcess.start(new URL('./relay.ts', import.meta.url), [
    cluster.url,
    String(roundTrip),
  ])
  const port = await relay.ask<number>('port')
  const databaseOf = (place: Place, contender: string) =>
    `${place} ${contender}`.replaceAll(' ', '_').toLowerCase()

  for (const { name } of serverContenders) {
    for (const place of places) {
      const database = databaseOf(place, name)
      await carryOut(cluster.url, [
        `create database ${database}`,
        ...(place === 'here'
          ? []
          : settingsOfCloud.map((setting) => `alter database ${database} set ${setting}`)),
      ])
    }
  }
  const address = (place: Place, contender: string) => {
    const url = new URL(cluster.url)
    if (place === 'cloud') url.port = String(port)
    url.pathname = databaseOf(place, contender)
    return url.href
  }
  return {
    address,
    tidyUp: (place, contender) => carryOut(address(place, contender), ['vacuum analyze']),
    async end() {
      relay.end()
      await cluster.end()
    },
  }
}

async function carryOut(address: string, statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: address })
  await client.connect()
  for (const statement of statements) await client.query(statement)
  await client.end()
}
