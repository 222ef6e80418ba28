/**
 * A live dashboard in the terminal, over metrics that a second process writes.
 *
 *     node examples/dashboard.ts               # runs until Ctrl+C, over data/dashboard.db
 *     node examples/dashboard.ts other.db 5    # over the file that you name, for 5 measurements
 */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { keptAddressOf } from './address/address-of.ts'
import { drawDashboard } from './dashboard/draw.ts'
import { openMetrics } from './dashboard/metrics.ts'

const [path = keptAddressOf('dashboard'), measurements = 'Infinity'] = process.argv.slice(2)
await using db = await openMetrics(path)
await db.clear()

const stop = new AbortController()
process.once('SIGINT', () => stop.abort())
const { signal } = stop

const writer = fork(fileURLToPath(new URL('./dashboard/writer.ts', import.meta.url)), [path, measurements])
writer.once('exit', () => stop.abort())

/** The figures of one machine, and the newest of its alerts. */
const { metrics, alerts } = db.repositories
const byValue = { orderBy: { value: 'desc' } } as const
type Metrics = Awaited<ReturnType<typeof metrics.findMany>>
type Alert = NonNullable<Awaited<ReturnType<typeof alerts.get>>['value']>

const recent: Alert[] = []

function draw(entries: Metrics): void {
  drawDashboard(
    entries.map(({ id, value }) => ({ name: String(id), ...value })),
    recent.slice(-3).map(({ at, text }) => `${at.toISOString().slice(11, 19)} ${text}`),
  )
}

async function followAlerts(): Promise<void> {
  for await (const { type, value } of alerts.changes({ signal })) {
    if (type === 'set' && value !== null) recent.push(value)
  }
}

async function followMetrics(): Promise<void> {
  for await (const entries of metrics.watchMany(byValue, { signal })) draw(entries)
}

await Promise.all([followAlerts(), followMetrics()])
writer.kill()

// What the writer wrote just before it ended may not have been told yet.
recent.splice(0, recent.length, ...(await Array.fromAsync(alerts.list(), ({ value }) => value)))
draw(await metrics.findMany(byValue))
