import { AsyncLocalStorage } from 'node:async_hooks'
import { styleText } from 'node:util'
import type { Atlas } from './atlas.ts'
import { planOnPostgres } from './plans/postgres.ts'
import { planOnSqlite } from './plans/sqlite.ts'

/** A statement that a call has run, and what it has bound. */
export interface Statement {
  readonly text: string
  readonly operands: readonly unknown[]
}

/** Drizzle's logger: it notes the statements that a call runs, and none that run beside it, such as a sweep's. */
class StatementRecorder {
  readonly #noted = new AsyncLocalStorage<Statement[]>()

  logQuery(text: string, operands: unknown[]): void {
    this.#noted.getStore()?.push({ text, operands })
  }

  async during(call: () => Promise<unknown>): Promise<readonly Statement[]> {
    const noted: Statement[] = []
    await this.#noted.run(noted, call)
    return noted
  }
}

export const recorder = new StatementRecorder()

/** Whether a statement reads values, and not what the database knows of itself. */
const readsValues = ({ text }: Statement) => /\bkv"?(?!_)\b/.test(text)

/** Prints the statements that a call runs, each with the engine's plan for it. */
export async function printStatements(atlas: Atlas, call: () => Promise<unknown>): Promise<void> {
  const plan = atlas.engine === 'postgres' ? planOnPostgres : planOnSqlite
  for (const statement of (await recorder.during(call)).filter(readsValues)) {
    console.log(styleText('dim', `  SQL   ${statement.text}`))
    for (const step of await plan(atlas, statement)) console.log(styleText('dim', `  plan  ${step}`))
  }
}
