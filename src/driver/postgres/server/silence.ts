import { setImmediate } from 'node:timers/promises'
import type { Connection } from './connection.ts'
import { isUnreached, sqlState } from './server-error.ts'

/**
 * Ends connections whose answers do not come any more. A network that swallows everything leaves them open, and so does a router that has
 * forgotten one. Where nothing has come for long, the server is asked on another connection: a statement may take as long as it takes.
 */
export class Silence {
  readonly #connect: () => Promise<Connection>
  readonly #patience: number

  /** `patience`: milliseconds without a byte, after which the server is asked, and for which that is tried. */
  constructor(connect: () => Promise<Connection>, patience: number) {
    this.#connect = connect
    this.#patience = patience
  }

  watch(connection: Connection): void {
    connection.onSilence(this.#patience, async () => {
      const { received } = connection
      const mayCome = await this.#mayAnswer(connection)
      // What has arrived meanwhile is read first.
      await setImmediate()
      if (!mayCome && connection.running > 0 && connection.received === received) connection.giveUp()
    })
  }

  /** Whether an answer may still come: also where nobody can tell. */
  async #mayAnswer({ processId }: Connection): Promise<boolean> {
    let other: Connection | undefined
    let timer: NodeJS.Timeout | undefined
    try {
      other = await this.#connect()
      timer = setTimeout(() => other?.discard(), this.#patience).unref()
      const [row] = await other.run({ text: whetherItWaits }, [processId])
      const [own, waits] = row as [number, boolean | null]
      // A pooler gives its clients numbers of its own.
      return own !== other.processId || waits !== true
    } catch (error) {
      // A server that has no connection left is there.
      return !isUnreached(error) || sqlState(error) === '53300'
    } finally {
      clearTimeout(timer)
      other?.discard()
    }
  }
}

/**
 * Whether a process of the server waits for its client, also in the middle of a request or of an answer, or is gone: then it has sent all
 * that it was going to.
 */
const whetherItWaits = `select pg_backend_pid(),
    a.pid is null or a.state like 'idle%' or (a.state = 'active' and a.wait_event_type = 'Client')
  from (select 1) one left join pg_stat_activity a on a.pid = $1`
