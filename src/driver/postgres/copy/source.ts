import type { SearchOf } from '../../../catalog/searches.ts'
import type { CopySource } from '../../copy.ts'
import { differentWords, strayWords } from '../search/tables.ts'
import { Connector, loadPg } from '../server/connect.ts'
import type { Connection } from '../server/connection.ts'
import { openError } from '../server/open-error.ts'
import { toKvError } from '../server/server-error.ts'
import { quoteName } from '../server/sql-text.ts'
import { readSetUp } from '../tables/set-up.ts'
import { type ServerPlace, ServerState } from './server-state.ts'

/** Opens a schema of a server to copy its present state, on a connection of its own; others keep reading and writing. */
export async function openServerSource(address: string, options: ServerPlace): Promise<ServerSource> {
  const { schema } = options
  const connection = await new Connector(await loadPg(address), address, options).first()
  try {
    await connection.execute('begin isolation level repeatable read read only')
    await connection.execute(
      'set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0',
    )
    await readSetUp(connection, schema, address, [], true)
    return new ServerSource(schema, connection)
  } catch (error) {
    connection.discard()
    throw openError(address, error, true)
  }
}

/** What `differenceOf` has found. */
interface SearchDifference {
  /** The first rows that it has other words of. */
  readonly keys: readonly Uint8Array[]
  /** Whether it has words of rows that are gone. */
  readonly isStray: boolean
}

export class ServerSource extends ServerState implements CopySource {
  readonly #connection: Connection
  readonly #schema: string

  constructor(schema: string, connection: Connection) {
    super(schema, async (statement, values) => {
      try {
        return await connection.run(statement, values)
      } catch (error) {
        throw toKvError(error)
      }
    })
    this.#connection = connection
    this.#schema = schema
  }

  /** How the words of a search differ from those of the rows. */
  async differenceOf(search: SearchOf): Promise<SearchDifference> {
    const s = quoteName(this.#schema)
    const rows = await this.#connection.run({ text: differentWords(s, search) }, [])
    const [stray] = await this.#connection.run({ text: strayWords(s, search) }, [])
    return { keys: rows.map(([key]) => key as Uint8Array), isStray: stray![0] === true }
  }

  close(): Promise<void> {
    return this.#connection.end()
  }
}
