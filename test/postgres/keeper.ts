// Keeps a server for as long as the process that has started this one lives, however that ends.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Order, Report } from './cluster.ts'
import { Server, type ServerOptions } from './server.ts'

const folder = mkdtempSync(join(tmpdir(), 'valkeyrie-postgres-'))
const report = (it: Report) => void (process.connected && process.send!(it))
let server: Server | undefined
let last = Promise.resolve()

/** Runs orders one at a time. */
function carryOut(action: () => Promise<void>): void {
  last = last.then(action).then(
    () => report({ url: server!.url, folder }),
    (error) => report({ obstacle: error instanceof Error ? error.message : String(error) }),
  )
}

process.on('disconnect', async () => {
  await last
  await server?.stop()
  rmSync(folder, { recursive: true, force: true })
})
process.on('message', (order: Order) =>
  carryOut(() => (order === 'start' ? server!.start() : server!.stop(order))),
)
// The terminal signals all of its processes: the one that started this one decides.
process.on('SIGINT', () => {})

carryOut(async () => {
  server = await Server.create(folder, JSON.parse(process.argv[2]!) as ServerOptions)
  await server.start()
})
