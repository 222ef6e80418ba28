// Opens an existing file and reads a row of it by better-sqlite3 alone: a process or a worker thread.
import Database from 'better-sqlite3'
import { expectAlice, tellMemory } from './start.js'

const db = new Database(process.argv[2])
db.pragma('journal_mode = WAL')
const { value } = db.prepare('SELECT value FROM kv WHERE key = ?').get(Buffer.from('\x02users\0\x02alice\0'))
expectAlice(JSON.parse(value))
tellMemory()
db.close()
