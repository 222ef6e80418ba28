// The second process: measures itself, and writes what it finds.
import { setTimeout as delay } from 'node:timers/promises'
import { openMetrics } from './metrics.ts'

const [path, measurements] = process.argv.slice(2)
await using db = await openMetrics(path!)
const { metrics, alerts } = db.repositories

for (let samples = 1; samples <= Number(measurements); samples++) {
  const busy = process.cpuUsage().user / 1_000
  const heap = process.memoryUsage().heapUsed / 1024 ** 2
  await db
    .atomic()
    .set(metrics.key('cpu'), { value: busy, unit: 'ms', samples })
    .set(metrics.key('memory'), { value: heap, unit: 'MB', samples })
    .commit()
  if (samples % 5 === 0) await alerts.create({ text: `${samples} samples taken`, at: new Date() })
  await delay(50)
}
