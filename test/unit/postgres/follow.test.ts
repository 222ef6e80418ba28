import { expect, test } from 'vitest'
import type { Connection } from '../../../src/driver/postgres/server/connection.ts'
import { follow } from '../../../src/driver/postgres/server/follow.ts'

const newConnection = () => ({
  isLost: false,
  onNotification: null as ((payload: string) => void) | null,
  execute: async () => {},
  run: async () => [],
  discard: () => {},
})

/** What is reported by a server that notifies of these versions, and then has this newest one. */
async function followed(
  since: number,
  first: number,
  notified: number,
  latest: number,
): Promise<(number | null)[]> {
  const connection = newConnection()
  let looks = 0
  const port = {
    connect: async () => connection as unknown as Connection,
    channel: 'commits',
    notify: async (_: string, payload: string) => connection.onNotification!(payload),
    latest: async () => (looks++ === 0 ? first : latest),
    isOwn: () => false,
  }
  const end = new AbortController()
  const reported: (number | null)[] = []
  for await (const version of follow(port, since, end.signal)) {
    reported.push(version)
    if (reported.length === 2) end.abort()
    else {
      connection.onNotification!(`${notified}`)
      // Once this one is looked at, the next one is.
      if (notified < latest) setImmediate(() => connection.onNotification!(`${latest}`))
    }
  }
  return reported
}

test('an older version is reported as null if the database went back to it, and not if it only came late', async () => {
  expect(await followed(0, 9, 3, 3)).toEqual([9, null])
  expect(await followed(0, 9, 8, 10)).toEqual([9, 10])
  expect(await followed(9, 3, 4, 3)).toEqual([null, 4])
})

test('a commit that is reported before the first look is answered is not forgotten', async () => {
  const connection = newConnection()
  const port = {
    connect: async () => connection as unknown as Connection,
    channel: 'commits',
    notify: async (_: string, payload: string) => connection.onNotification!(payload),
    latest: async () => {
      connection.onNotification!('8')
      return 7
    },
    isOwn: () => false,
  }
  const end = new AbortController()
  for await (const version of follow(port, 0, end.signal)) {
    expect(version).toBe(8)
    end.abort()
  }
})
