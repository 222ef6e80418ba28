// Counts events until it gets the order to stop, or is killed: the processes of event-sourcing.test.ts.
import { Projector } from '../../../examples/event-sourcing/projector.ts'
import { openWarehouse } from '../../../examples/event-sourcing/warehouse.ts'
import { patient } from '../../waiting.ts'

const { path } = JSON.parse(process.argv[2]!) as { readonly path: string }
const stop = new AbortController()
process.once('message', () => stop.abort())

await using db = await openWarehouse(path, patient)
process.send!('open')
await new Projector(db).run(stop.signal)
process.disconnect()
