// Counts up, and down at every third step; then prints how far that leads.
import { DistributedCounter, openCounters } from './counter.ts'

const [path, name, steps] = process.argv.slice(2)
await using db = await openCounters(path)
const counter = new DistributedCounter(db, name!)

let counted = 0
for (let step = 1; step <= Number(steps); step++) {
  await counter.increment()
  counted += 1
  if (step % 3 === 0 && (await counter.decrement())) counted -= 1
}
console.log(counted)
