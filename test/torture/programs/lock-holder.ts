// Holds the write lock with an uncommitted row until it gets the order to commit: the process of stopped-holder.ts.
import { once } from 'node:events'
import { Valkeyrie } from 'valkeyrie'

const { path } = JSON.parse(process.argv[2]!) as { readonly path: string }
const db = await Valkeyrie.open(path)
const { $client: connection } = db.drizzle
connection.exec('BEGIN IMMEDIATE')
connection.exec(
  `INSERT INTO kv (key, value, encoding, version)
   SELECT x'0268656c6400', '"by the holder"', encoding, version FROM kv LIMIT 1`,
)
console.log('held')
await once(process.stdin, 'data')
connection.exec('COMMIT')
await db.close()
process.stdin.destroy()
