import { setImmediate } from 'node:timers/promises'
import type { Connection } from './connection.ts'
import { isUnreached, sqlState } from './server-error.ts'

/**
 * Ends connections whose answers stopped coming. A network that drops everything leaves them open, and so does a router that has
 * forgotten one. After a long silence, the server is asked on another connection, because a statement may take any time.
 */
export class Silence {
  readonly #connect: () => Promise<Connection>
  readonly #patience: number
  /** Whether a pooler stands before the server, as far as is known: its queue may keep a question waiting, too. */
  isPooled = false

  /** `patience`: how many milliseconds of silence before the server is asked, and how long to try. */
  constructor(connect: () => Promise<Connection>, patience: number) {
    this.#connect = connect
    this.#patience = patience
  }

  watch(connection: Connection): void {
    connection.onSilence(this.#patience, async () => {
      const { received } = connection
      const mayCome = await this.#mayAnswer(connection)
      // Read first what has arrived meanwhile.
      await setImmediate()
      if (!mayCome && connection.isAsking && connection.received === received) connection.giveUp()
    })
  }

  /** Whether an answer may still come; also true if nobody knows. */
  async #mayAnswer({ processId }: Connection): Promise<boolean> {
    let other: Connection | undefined
    let timer: NodeJS.Timeout | undefined
    try {
      other = await this.#connect()
      timer = setTimeout(() => other?.discard(), this.#patience).unref()
      const [row] = await other.run({ text: whetherItWaits }, [processId])
      const [own, waits] = row as [number, boolean | null]
      // A pooler has its own numbers for clients.
      return own !== other.processId || waits !== true
    } catch (error) {
      // A server without free connections is alive, and so is a pooler that accepts one.
      const isAlive = sqlState(error) === '53300' || (this.isPooled && other !== undefined)
      return isAlive || !isUnreached(error)
    } finally {
      clearTimeout(timer)
      other?.discard()
    }
  }
}

/**
 * Whether a process of the server waits for its client, even in the middle of a request or an answer, or is gone: then it has sent
 * everything it will send.
 */
const whetherItWaits = `select pg_backend_pid(),
    a.pid is null or a.state like 'idle%' or (a.state = 'active' and a.wait_event_type = 'Client')
  from (select 1) one left join pg_stat_activity a on a.pid = $1`
