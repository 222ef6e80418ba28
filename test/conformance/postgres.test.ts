import { beforeAll } from 'vitest'
import { describeEngine } from '../engines.ts'
import { clockedDatabase, inDatabase, tellTime } from '../postgres/clock.ts'
import { runSuite } from './suite.ts'

const file = 'it looks at the files of a database'

describeEngine('postgres', 'the suite', (engine) => {
  let database: string
  beforeAll(async () => {
    database = await clockedDatabase(engine.newAddress())
    tellTime()
  })
  runSuite({
    name: 'PostgreSQL',
    path: () => inDatabase(engine.newAddress(), database),
    clockError: 30_000,
    passedOver: {
      'a -0 that an earlier release has stored as a text is found by 0': 'no release has stored one there',
      'destroy closes and removes the files': file,
      'destroyOnClose removes the files when the database is closed': file,
      'closing or destroying again does not touch a database that was opened there since': file,
    },
  })
})
