import { InvalidArgumentError, Option } from 'commander'
import { MigrationError } from '../contract/errors.ts'
import type { Report } from '../migration/migrate.ts'
import type { Ask } from '../migration/renames.ts'

/** Shows progress: a bar on a terminal, otherwise a line for each tenth. */
export function terminalReport(out: NodeJS.WriteStream = process.stderr): Report {
  return out.isTTY ? barReport(out) : lineReport(out)
}

const barWidth = 30

function barReport(out: NodeJS.WriteStream): Report {
  let shown = ''
  const clear = () => {
    if (shown !== '') out.write('\r\x1b[K')
    shown = ''
  }
  return {
    line(text) {
      clear()
      out.write(`${text}\n`)
    },
    progress(task, done, total) {
      const full = total === 0 ? barWidth : Math.floor((barWidth * done) / total)
      const bar = '█'.repeat(full).padEnd(barWidth, '░')
      const text = `${bar} ${task} ${done} of ${total}`
      if (text === shown) return
      clear()
      out.write(text)
      shown = text
      if (done >= total) {
        out.write('\n')
        shown = ''
      }
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

/** Asks on a terminal; undefined without one, so that nothing waits for an answer that cannot come. */
export function terminalAsk(
  input: NodeJS.ReadStream = process.stdin,
  output: NodeJS.WriteStream = process.stderr,
): Ask | undefined {
  if (!input.isTTY || !output.isTTY) return undefined
  return async (message, choices) => {
    const { isCancel, select } = await import('@clack/prompts')
    const options = choices.map((label, value) => ({ label, value }))
    const answer = await select({ message, options, input, output, withGuide: false })
    if (isCancel(answer)) throw noAnswer()
    return answer
  }
}

/** Asks for confirmation on a terminal. Without one, throws a TypeError that says what to pass instead. */
export async function confirmed(
  question: string,
  instead: string,
  input: NodeJS.ReadStream = process.stdin,
  output: NodeJS.WriteStream = process.stderr,
): Promise<boolean> {
  if (!input.isTTY || !output.isTTY) throw new TypeError(`There is no terminal to ask on: ${instead}`)
  const { confirm, isCancel } = await import('@clack/prompts')
  const answer = await confirm({ message: question, initialValue: false, input, output, withGuide: false })
  if (isCancel(answer)) throw noAnswer()
  return answer
}

/** Ctrl+C or Escape. */
function noAnswer(): MigrationError {
  return new MigrationError('You gave no answer, so nothing was changed.')
}

/** The example after the options in the help of a command. `more`: further lines. */
export function example(command: string, ...more: readonly string[]): string {
  return ['', 'Example:', `  $ npx ${command}`, ...more].join('\n')
}

/** How the help describes the database argument. */
export const databaseText = 'its file, or a PostgreSQL address such as postgres://user@host/shop?schema=cart'

/** How long a command waits for others that have its file open, and may be about to end. */
export interface WaitFlag {
  /** In milliseconds. */
  readonly wait: number
}

export function waitOption(): Option {
  const text = 'how long to wait for others who have the file open'
  return new Option('--wait <seconds>', text).default(5_000, '5').argParser((given) => {
    const seconds = Number(given)
    if (given.trim() !== '' && seconds >= 0 && seconds <= 1_000_000) return seconds * 1_000
    throw new InvalidArgumentError('It must be a number of seconds from 0 to 1,000,000.')
  })
}

/** Shows nothing; only the result is printed. */
export const quiet: Report = { line() {}, progress() {} }

export function tell(text: string): void {
  process.stderr.write(`${text}\n`)
}

let writeOut = (text: string): unknown => process.stdout.write(text)

export function print(text: string): void {
  printPart(`${text}\n`)
}

/** Prints a text that has its line breaks. */
export function printPart(text: string): void {
  writeOut(text)
}

/** Keeps standard output for what `print` prints: what modules of the user's project write to it goes to standard error. */
export function reserveOutput(): void {
  const { stdout, stderr } = process
  writeOut = stdout.write.bind(stdout)
  const write = stderr.write.bind(stderr) as (...args: readonly unknown[]) => boolean
  let isFull = false
  stdout.write = (...args: readonly unknown[]) => {
    const hasRoom = write(...args)
    if (!hasRoom && !isFull) {
      isFull = true
      // Whoever waits for room in the one waits for the other.
      stderr.once('drain', () => {
        isFull = false
        stdout.emit('drain')
      })
    }
    return hasRoom
  }
}

/**
 * A reader that goes away, like `head`, ends no command: it finishes its work, and nobody is left to be told. If output cannot
 * be written for another reason, the command has failed.
 */
export function outliveReaders(): void {
  for (const out of [process.stdout, process.stderr])
    out.on('error', (error: NodeJS.ErrnoException) => {
      // Whoever writes a stream of rows hears of it itself.
      if (error.code === 'EPIPE' || out.listenerCount('error') > 1) return
      process.exitCode = 1
      if (out === process.stdout) tell(error.message)
    })
}

/** Shows the number of rows so far on a terminal, in a line that disappears at the end. */
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

/** The user has interrupted the command. */
export class Interrupted extends Error {}

/** How others end a command: Ctrl+C, and what a service manager or `timeout` sends. */
const endings = ['SIGINT', 'SIGTERM'] as const

/** A signal that Ctrl+C or SIGTERM aborts, so that unfinished work is cleaned up. The same again ends the process at once. */
export function interrupted(): { readonly signal: AbortSignal; end(): void } {
  const controller = new AbortController()
  const abort = () => controller.abort(new Interrupted('Interrupted: run it again to finish'))
  for (const ending of endings) process.once(ending, abort)
  const end = () => {
    for (const ending of endings) process.off(ending, abort)
  }
  return { signal: controller.signal, end }
}
