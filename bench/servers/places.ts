import pg from 'pg'
import { startCluster } from '../../test/postgres/cluster.ts'
import { startChild } from '../harness/child.ts'
import type { Relay } from '../programs/relay.ts'
import { serverContenders } from './tasks.ts'

/** Each with what the page says of it. */
export const places = {
  here: 'The server on this machine, and each commit on its disk:',
  cloud: 'The same server with 1 ms of network before each answer and `commit_delay` of 2 ms, as in a cloud:',
}

export type Place = keyof typeof places
export const placeNames = Object.keys(places) as readonly Place[]

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
  const relay = await startChild<Relay>('relay')
  const port = await relay.call('listen', cluster.url, roundTrip)
  const databaseOf = (place: Place, contender: string) =>
    `${place} ${contender}`.replaceAll(' ', '_').toLowerCase()

  for (const { name } of serverContenders) {
    for (const place of placeNames) {
      const database = databaseOf(place, name)
      const altered = settingsOfCloud.map((setting) => `alter database ${database} set ${setting}`)
      await carryOut(cluster.url, [`create database ${database}`, ...(place === 'here' ? [] : altered)])
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
      relay[Symbol.dispose]()
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
