import Database from 'better-sqlite3'
import { temporaryFolder } from '../temporary-folder.ts'
import { runSuite } from './suite.ts'

const newPath = temporaryFolder()

/** Files that keep checksums: what a file has been created as, it stays. */
runSuite({
  name: 'a file with checksums',
  turns: { step: 3, from: 0 },
  path() {
    const path = newPath()
    const file = new Database(path)
    file.pragma(`application_id = ${0x564c4b59}`)
    file.pragma('user_version = 2')
    file.close()
    return path
  },
})
