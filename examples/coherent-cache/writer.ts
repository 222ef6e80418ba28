// Changes prices at random moments, every third time that of product 0.
import { setTimeout as delay } from 'node:timers/promises'
import { openProducts, sharedClock } from './products.ts'

const [path, count, changes] = process.argv.slice(2)
await using db = await openProducts(path)
const { products } = db.repositories

for (let n = 0; n < Number(changes); n++) {
  await delay(Math.random() * 10)
  const id = n % 3 === 0 ? 0 : Math.floor(Math.random() * Number(count))
  await products.update(id, (product) => ({ ...product, cents: product.cents + 1, changedAt: sharedClock() }))
}
