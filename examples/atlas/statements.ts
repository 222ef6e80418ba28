import { styleText } from 'node:util'
import type { Atlas } from './atlas.ts'

interface Statement {
  readonly text: string
  readonly operands: readonly unknown[]
}

/** Drizzle's logger: it notes the statements while somebody asks for them. */
class StatementRecorder {
  #noted: Statement[] | null = null

  logQuery(text: string, operands: unknown[]): void {
    this.#noted?.push({ text, operands })
  }

  async during(call: () => Promise<unknown>): Promise<readonly Statement[]> {
    const noted: Statement[] = []
    this.#noted = noted
    try {
      await call()
      return noted
    } finally {
      this.#noted = null
    }
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
