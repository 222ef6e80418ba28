import { afterAll, afterEach, beforeAll } from 'vitest'
import { describeEngine } from '../engines.ts'
import { clockedDatabase, inDatabase, tellTime } from '../postgres/clock.ts'
import { EmptiedSchemas } from '../postgres/emptied-schemas.ts'
import { runSuite } from './suite.ts'

const file = 'it looks at the files of a database'

describeEngine('postgres', 'the suite', (engine) => {
  let schemas: EmptiedSchemas
  beforeAll(async () => {
    const address = engine.newAddress()
    const database = await clockedDatabase(address)
    tellTime()
    schemas = await EmptiedSchemas.in(inDatabase(address, database))
  })
  afterEach(() => schemas.takeBack())
  afterAll(() => schemas.end())
  runSuite({
    name: 'PostgreSQL',
    path: () => schemas.newAddress(),
    clockError: 30_000,
    passedOver: {
      'in a unit of work, every read has what it wrote and has expired since, by the time of its state':
        'the clock that tests tell the server moves within a transaction',
      'a -0 that an earlier release has stored as a text is found by 0': 'no release has stored one there',
      'destroy closes and removes the files': file,
      'destroyOnClose removes the files when the database is closed': file,
      'closing or destroying again does not touch a database that was opened there since': file,
    },
  })
})
