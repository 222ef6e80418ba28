import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Ask, JoinedStatement } from '../../../src/driver/postgres/server/array-query.ts'
import { Connection } from '../../../src/driver/postgres/server/connection.ts'
import type { OpenClient } from '../../../src/driver/postgres/server/open-client.types.ts'
import { ConnectionLost } from '../../../src/driver/postgres/server/server-error.ts'

test('a connection that could not leave its transaction is given up, and what went with that was not done', async () => {
  let isDestroyed = false
  const stream = {
    cork() {},
    uncork() {},
    destroy() {
      isDestroyed = true
    },
    get destroyed() {
      return isDestroyed
    },
  }
  const client = { on() {}, ref() {}, unref() {}, connection: { stream } } as unknown as OpenClient
  const cancelled = Object.assign(new Error('canceling statement'), { code: '57014', severity: 'ERROR' })
  const ask: Ask = {
    async one(_, { name = '' }, __, columns) {
      columns.set(name, [])
      return { rows: [], tag: 'SELECT 0' }
    },
    joined(_, [ending, ...others]: readonly JoinedStatement[]) {
      ending!.settle({ error: cancelled, isAlone: ending!.isAlone })
      for (const { isAlone, settle } of others) settle({ error: ending!.behind(cancelled), isAlone })
    },
  }
  const connection = new Connection(client, ask, { isKept: true }, undefined)
  const write = { name: 'write', text: 'insert' }
  await connection.run(write)
  const outcomes = Promise.allSettled([connection.leave(), connection.run(write)])
  await nextTurn()
  const [left, written] = await outcomes
  expect(left).toMatchObject({ reason: cancelled })
  expect(written).toMatchObject({ reason: expect.any(ConnectionLost) })
  expect([connection.isLost, isDestroyed, connection.isAsking]).toEqual([true, true, false])
})
