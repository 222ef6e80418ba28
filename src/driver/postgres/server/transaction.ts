import type { Connection } from './connection.ts'
import type { Statement } from './statement.types.ts'
import { statementName } from './statement-name.ts'

/** Begins a transaction whose reads all see one state. */
export const beginReading = command('begin isolation level repeatable read read only')

/** A statement without parameters and columns. */
export function command(text: string): Statement {
  return { name: statementName('command', text), text }
}

/** Works in a transaction, on a connection that nobody else uses. It keeps its locks until it ends. */
export async function inTransaction<T>(connection: Connection, work: () => Promise<T>): Promise<T> {
  await connection.execute('begin isolation level read committed')
  try {
    const result = await work()
    await connection.commit()
    return result
  } catch (error) {
    if (!connection.isLost) await connection.execute('rollback').catch(() => connection.discard())
    throw error
  }
}
