// Opens an existing file and reads a row of it: a process or a worker thread.
import { Valkeyrie } from 'valkeyrie'
import { expectAlice, tellMemory } from './start.js'

const db = await Valkeyrie.open(process.argv[2])
const { value } = await db.get(['users', 'alice'])
expectAlice(value)
tellMemory()
await db.close()
