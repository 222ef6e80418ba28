import { expect, it } from 'vitest'
import type { Connection } from '../../../src/driver/postgres/server/connection.ts'
import { ConnectionLost } from '../../../src/driver/postgres/server/server-error.ts'
import { Silence } from '../../../src/driver/postgres/server/silence.ts'

/** Accepts a connection, and never answers on it. */
async function connect(): Promise<Connection> {
  const { promise, reject } = Promise.withResolvers<never>()
  const other = { processId: 2, run: () => promise, discard: () => reject(new ConnectionLost(null)) }
  return other as unknown as Connection
}

/** Whether a connection was given up after a silence. */
async function isGivenUp(asks: () => Promise<Connection>, isPooled: boolean): Promise<boolean> {
  const silence = new Silence(asks, 1)
  silence.isPooled = isPooled
  let tell = async () => {}
  let isOver = false
  silence.watch({
    processId: 1,
    received: 0,
    isAsking: true,
    onSilence: (_: number, told: () => Promise<void>) => {
      tell = told
    },
    giveUp: () => {
      isOver = true
    },
  } as unknown as Connection)
  await tell()
  return isOver
}

it('gives a connection up if the server does not answer on another, but not behind a pooler that accepts one', async () => {
  expect(await isGivenUp(connect, false)).toBe(true)
  expect(await isGivenUp(connect, true)).toBe(false)
})

it('gives a connection up behind a pooler that cannot be reached', async () => {
  const unreached = () => Promise.reject(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }))
  expect(await isGivenUp(unreached, true)).toBe(true)
})
