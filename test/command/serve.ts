import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'

/**
 * Runs the built `valkeyrie` for `command.ts`, once for each message, as if its process had just begun: with the folder and the arguments that
 * the message names, and with the modules of the user's project as they are then.
 */

export interface Asked {
  readonly cwd: string
  readonly args: readonly string[]
}

/** What the command has printed, in order; the exit code that its process would have. */
export interface Answer {
  readonly code: number
  readonly printed: readonly (readonly [stream: 'out' | 'err', text: string])[]
}

const dist = new URL('../../dist/', import.meta.url).href
const main = new URL('cli/main.js', dist).href
let runs = 0

const isOfUser = (url: string) =>
  url.startsWith('file:') && !url.startsWith(dist) && !url.includes('/node_modules/')

registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context)
    if (!context.conditions.includes('import') || !isOfUser(found.url)) return found
    return { ...found, url: `${found.url}?${runs}` }
  },
})

let printed: ['out' | 'err', string][] = []

function recordOutput(): void {
  for (const name of ['out', 'err'] as const) {
    process[`std${name}`].write = (text: string | Uint8Array, ...rest: readonly unknown[]) => {
      printed.push([name, typeof text === 'string' ? text : Buffer.from(text).toString()])
      const done = rest.find((it) => typeof it === 'function')
      if (done !== undefined) process.nextTick(done as () => void)
      return true
    }
  }
}

process.on('message', async ({ cwd, args }: Asked) => {
  runs += 1
  printed = []
  recordOutput()
  process.chdir(cwd)
  process.argv = [process.execPath, fileURLToPath(main), ...args]
  process.exitCode = 0
  for (const out of [process.stdout, process.stderr]) out.removeAllListeners('error')
  await import(`${main}?${runs}`)
  const answer: Answer = { code: Number(process.exitCode), printed }
  process.send!(answer)
})
