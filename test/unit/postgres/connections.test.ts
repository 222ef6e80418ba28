import { expect, it } from 'vitest'
import type { Connection } from '../../../src/driver/postgres/server/connection.ts'
import { Connections } from '../../../src/driver/postgres/server/connections.ts'

function connectionOf(isLost: boolean): Connection {
  const run = async () => {
    if (isLost) throw new Error('lost')
    return [['answer']]
  }
  return { isLost, running: 0, run } as unknown as Connection
}

it('does not use a connection that was lost before it came to the others', async () => {
  const options = { connections: 4, busyTimeout: 600_000, connectTimeout: 600_000 }
  const further = [connectionOf(true), connectionOf(false)]
  const connections = new Connections(connectionOf(true), async () => further.shift()!, options)
  expect(await connections.run({ text: 'select' }, [])).toEqual([['answer']])
  expect(further).toEqual([])
})
