import { expect, test } from 'vitest'
import type { Connection } from '../../../src/driver/postgres/server/connection.ts'
import { follow } from '../../../src/driver/postgres/server/follow.ts'

test('a commit that is reported before the first look is answered is not forgotten', async () => {
  const connection = {
    isLost: false,
    onNotification: null as ((payload: string) => void) | null,
    execute: async () => {},
    run: async () => [],
    discard: () => {},
  }
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
  for await (const version of follow(port, end.signal)) {
    expect(version).toBe(8)
    end.abort()
  }
})
