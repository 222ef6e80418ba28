// Fills orders of one customer, and prints how many: those that it cannot fill are refused.
import { EventStore } from './event-store.ts'
import { OutOfStockError, openWarehouse, ship } from './warehouse.ts'

const [path, product, customer, orders] = process.argv.slice(2)
await using db = await openWarehouse(path)
const store = new EventStore(db)

let filled = 0
for (let order = 0; order < Number(orders); order++) {
  try {
    await store.execute(product!, (stock) => ship(stock, 3, customer!))
    filled += 1
  } catch (error) {
    if (!(error instanceof OutOfStockError)) throw error
  }
}
console.log(filled)
