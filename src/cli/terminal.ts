import { createInterface } from 'node:readline/promises'
import { SingleBar } from 'cli-progress'
import { MigrationError } from '../errors.ts'
import type { Report } from '../migration/migrate.ts'
import type { Ask } from '../migration/renames.ts'

/** Tells a person what goes on: a bar on a terminal, else a line for each tenth. */
export function terminalReport(out: NodeJS.WriteStream = process.stderr): Report {
  return out.isTTY ? barReport(out) : lineReport(out)
}

function barReport(out: NodeJS.WriteStream): Report {
  let bar: SingleBar | null = null
  const end = () => {
    bar?.stop()
    bar = null
  }
  return {
    line(text) {
      end()
      out.write(`${text}\n`)
    },
    progress(task, done, total) {
      if (bar === null) {
        const format = `{bar} ${task} {value} of {total}, {eta_formatted} left`
        bar = new SingleBar({ format, stream: out, barCompleteChar: '█', barIncompleteChar: '░' })
        bar.start(total, done)
      } else {
        bar.setTotal(total)
        bar.update(done)
      }
      if (done >= total) end()
    },
  }
}

function lineReport(out: NodeJS.WriteStream): Report {
  const tenths = new Map<string, number>()
  return {
    line(text) {
      out.write(`${text}\n`)
    },
    progress(task, done, total) {
      const tenth = total === 0 ? 10 : Math.floor((done / total) * 10)
      if (tenths.get(task) === tenth) return
      tenths.set(task, tenth)
      out.write(`${task}: ${done} of ${total}\n`)
    },
  }
}

/** Asks on a terminal; undefined where there is none, so that nothing ever waits for an answer that cannot come. */
export function terminalAsk(
  input: NodeJS.ReadStream = process.stdin,
  output: NodeJS.WriteStream = process.stderr,
): Ask | undefined {
  if (!input.isTTY || !output.isTTY) return undefined
  return async (question) => {
    const lines = createInterface({ input, output })
    try {
      return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim())
    } catch (error) {
      // Ctrl+C or Ctrl+D.
      if ((error as Error).name !== 'AbortError') throw error
      throw new MigrationError('\nNo answer was given, and nothing was written.', { cause: error })
    } finally {
      lines.close()
    }
  }
}

/** What stands behind the options in the help of a command. `more`: a line each. */
export function example(command: string, ...more: readonly string[]): string {
  return ['', 'Example:', `  $ npx ${command}`, ...more].join('\n')
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Tells on a terminal how many rows were done so far, in a line of its own that goes away at the end. */
export function countReport(out: NodeJS.WriteStream = process.stderr) {
  return {
    report(rows: number) {
      if (out.isTTY) out.write(`\r${rows.toLocaleString('en')} rows`)
    },
    end() {
      if (out.isTTY) out.write('\r\x1b[K')
    },
  }
}

/** Aborted by Ctrl+C, so that what was begun is put away. */
export function interrupted(): { readonly signal: AbortSignal; end(): void } {
  const controller = new AbortController()
  const abort = () => controller.abort(new TypeError('Interrupted: run it again to finish'))
  process.once('SIGINT', abort)
  return { signal: controller.signal, end: () => process.off('SIGINT', abort) }
}
