// Holds the write lock of a database from the message 'lock' to the message 'unlock': the process of busy.test.ts.
import Database from 'better-sqlite3'

const { path } = JSON.parse(process.argv[2]!) as { readonly path: string }
const connection = new Database(path)
const statements: Record<string, string> = { lock: 'BEGIN IMMEDIATE', unlock: 'ROLLBACK' }
process.on('message', (message: string) => {
  connection.exec(statements[message]!)
  process.send!(message)
})
process.send!('ready')
