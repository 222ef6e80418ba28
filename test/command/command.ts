import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import type { Ended } from '../migrate/project.ts'
import { waitFor } from '../waiting.ts'
import type { Answer, Asked } from './serve.ts'

let server: ChildProcess | undefined
let last: Promise<unknown> = Promise.resolve()

/**
 * Runs the built `valkeyrie` in a process that all runs share: to start one and to load drizzle-kit takes ten times what most commands do.
 * What only a process of its own shows, such as signals, pipes and the place of an error in a user's module, is run by `run` of
 * `migrate/project.ts`.
 */
export function command(cwd: string, ...args: readonly string[]): Promise<Ended> {
  const ended = last.then(() => ask({ cwd, args }))
  last = ended.catch(() => {})
  return ended
}

async function ask(asked: Asked): Promise<Ended> {
  server ??= start()
  const { channel } = server
  const name = `valkeyrie ${asked.args.join(' ')}`
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const crash = () => reject(new Error(`${name} has ended the process that commands share`))
  server.once('message', resolve).once('exit', crash)
  channel!.ref()
  try {
    server.send(asked)
    const { code, printed } = await waitFor(name, promise)
    const textOf = (wanted: 'out' | 'err') =>
      printed.map(([stream, text]) => (stream === wanted ? text : '')).join('')
    return { code, text: textOf('out') + textOf('err'), output: textOf('out') }
  } catch (error) {
    // Its answer, if it comes, is not that of the next one.
    server?.kill('SIGKILL')
    server = undefined
    throw error
  } finally {
    server?.off('exit', crash)
    channel!.unref()
  }
}

/** A process that ends with this one, and does not keep it from ending. */
function start(): ChildProcess {
  const child = fork(join(import.meta.dirname, 'serve.ts'), {
    execArgv: [],
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  child.unref()
  child.once('exit', () => {
    server = undefined
  })
  return child
}
