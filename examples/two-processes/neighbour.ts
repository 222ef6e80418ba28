// The other process: corresponds until the last letter, then adds what it is told to a list, and says so each time.
import { on } from 'node:events'
import { correspond } from './correspond.ts'
import { openHousehold } from './household.ts'
import { addWithCheck } from './shopping-list.ts'

const [path, last] = process.argv.slice(2)
// Whoever listens stays alive; a stream of changes alone would not keep the process.
const errands = on(process, 'message', { close: ['disconnect'] })

await using db = await openHousehold(path)
process.send!(await correspond(db, 'bob', Number(last)))
for await (const [item] of errands) {
  await addWithCheck(db, 'shopping', item)
  process.send!('added')
}
