import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { ServerOptions } from './server.ts'

/** An order to a keeper: start its server again, or end it. */
export type Order = 'start' | 'SIGINT' | 'SIGKILL'

/** What a keeper reports once its server runs, once an order is carried out, and if it cannot be. */
export type Report = { readonly url: string; readonly folder: string } | { readonly obstacle: string }

/** A server of PostgreSQL of our own, which ends with this process, however that ends. */
export interface Cluster {
  /** Of the user that may do everything, with its password. */
  readonly url: string
  /** Of its files. */
  readonly folder: string
  /** Ends the server: by SIGKILL it dies. */
  kill(signal?: 'SIGINT' | 'SIGKILL'): Promise<void>
  /** Starts it again, at the same address and with what was stored. */
  restart(): Promise<void>
  /** Ends the server for good and removes its files. */
  end(): Promise<void>
}

/** Makes a server. Rejects with a sentence where PostgreSQL cannot run here. */
export async function startCluster(options: ServerOptions = {}): Promise<Cluster> {
  const keeper = fork(fileURLToPath(new URL('keeper.ts', import.meta.url)), [JSON.stringify(options)], {
    // In its own process group: if this process is killed, the keeper lives on and cleans up.
    detached: true,
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const { url, folder } = await reportOf(keeper)
  keeper.unref()
  keeper.channel!.unref()
  const order = async (what: Order) => {
    keeper.channel!.ref()
    keeper.send(what)
    await reportOf(keeper)
    keeper.channel!.unref()
  }
  return {
    url,
    folder,
    kill: (signal = 'SIGKILL') => order(signal),
    restart: () => order('start'),
    async end() {
      keeper.ref()
      keeper.disconnect()
      await once(keeper, 'exit')
    },
  }
}

async function reportOf(keeper: ChildProcess): Promise<Extract<Report, { readonly url: string }>> {
  const over = new AbortController()
  const { signal } = over
  const [report] = await Promise.race([
    once(keeper, 'message', { signal }) as Promise<[Report]>,
    once(keeper, 'exit', { signal }).then((): [Report] => [
      { obstacle: 'the keeper of the server has ended' },
    ]),
  ])
  // The other one listens no longer.
  over.abort()
  if ('url' in report) return report
  if (keeper.connected) keeper.disconnect()
  throw new Error(report.obstacle)
}
