import { beforeEach } from 'vitest'
import { addressVariable } from '../engine-of-project.ts'
import { clockedDatabase, inDatabase, tellTime } from './clock.ts'
import { serverOfRun } from './server-of-run.ts'

// The project on PostgreSQL of vitest.config.ts: the clock of its database stands still with that of a test.

const server = await serverOfRun()
if ('obstacle' in server) beforeEach(({ skip }) => skip(server.obstacle))
else if (process.env[addressVariable] === undefined) {
  process.env[addressVariable] = inDatabase(server.url, await clockedDatabase(server.url))
  tellTime()
}
