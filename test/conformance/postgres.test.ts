import { describeEngine } from '../engines.ts'
import { runSuite } from './suite.ts'

const clock = 'it stops the clock of this process, and what expires is told by the clock of the server'
const file = 'it looks at the files of a database'

describeEngine('postgres', 'the suite', (engine) =>
  runSuite({
    name: 'PostgreSQL',
    path: () => engine.newAddress(),
    clockError: 30_000,
    passedOver: {
      'a query that has expired rows does not find them': clock,
      'an expired row is invisible to every read at once': clock,
      'an expired row is missing to every write': clock,
      'insert succeeds over an expired row': clock,
      'set removes an expiry, update and arithmetic keep it': clock,
      'touch changes or removes an expiry': clock,
      'cleanup removes what has expired and tells how much': clock,
      'where there is no value, or it has expired, keepExpiry writes one that never expires': clock,
      'an expired row does not block its value': clock,
      'loaded items expire': clock,
      'a row that expires leaves': clock,
      'an expiring key is emitted as missing when its time has come, without anyone reading it': clock,
      'an expired row is told as expire, once': clock,
      'a -0 that an earlier release has stored as a text is found by 0': 'no release has stored one there',
      'destroy closes and removes the files': file,
      'a database that was closed can be destroyed': file,
      'destroyOnClose removes the files when the database is closed': file,
      'closing or destroying again does not touch a database that was opened there since': file,
    },
  }),
)
