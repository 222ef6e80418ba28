import { AsyncLocalStorage } from 'node:async_hooks'
import { styleText } from 'node:util'
import type { Atlas } from './atlas.ts'

interface Statement {
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

/** Prints the statements that a call runs, each with SQLite's plan for it. */
export async function printStatements(atlas: Atlas, call: () => Promise<unknown>): Promise<void> {
  for (const { text, operands } of await recorder.during(call)) {
    console.log(styleText('dim', `  SQL   ${text}`))
    const steps = atlas.drizzle.$client
      .prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${text}`)
      .all(...operands)
    for (const { detail } of steps) console.log(styleText('dim', `  plan  ${detail}`))
  }
}
