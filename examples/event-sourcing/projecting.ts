// Keeps the deliveries up to date until SIGTERM, or until the process that has started it is gone.
import { Projector } from './projector.ts'
import { openWarehouse } from './warehouse.ts'

const [path] = process.argv.slice(2)
const stop = new AbortController()
process.once('SIGTERM', () => stop.abort())
// The channel to the parent keeps the process alive: a stream does not.
process.once('disconnect', () => stop.abort())

await using db = await openWarehouse(path)
await new Projector(db).run(stop.signal)
if (process.connected) process.disconnect()
