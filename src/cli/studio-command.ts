import { spawn } from 'node:child_process'
import { type Command, InvalidArgumentError } from 'commander'
import { databaseOf, loadProject } from '../migration/project.ts'
import { databaseText, example, print, tell } from './terminal.ts'

interface StudioFlags {
  readonly port?: number
  readonly open: boolean
  readonly readOnly?: boolean
  readonly json?: boolean
}

/** Adds the command that shows a database in a browser. */
export function addStudioCommand(program: Command): void {
  program
    .command('studio')
    .description('see the data of a database in a browser, and every write as it happens')
    .argument('[database]', `${databaseText}; default: dbCredentials.url of drizzle.config.ts`)
    .option('--port <number>', 'the port to listen on; default: a free one', portOf)
    .option('--no-open', 'do not open a browser')
    .option('--read-only', 'refuse every write')
    .option('--json', 'print the address as JSON, on one line')
    .addHelpText('after', example('valkeyrie studio app.db', 'Press Ctrl+C to end it.'))
    .action(
      async (
        database: string | undefined,
        { port = 0, open, readOnly = false, json = false }: StudioFlags,
      ) => {
        const address = database ?? (await projectDatabase(program.opts<{ config?: string }>().config))
        const { openStudio } = await import('../studio/server.ts')
        const studio = await openStudio(address, { port, readOnly })
        if (!json)
          tell('The studio answers only this machine. Press Ctrl+C to end it. Keep its address to yourself:')
        print(json ? JSON.stringify({ url: studio.url }) : studio.url)
        if (open) openBrowser(studio.url)
        for (const signal of ['SIGINT', 'SIGTERM'] as const)
          process.once(signal, () => void studio[Symbol.asyncDispose]())
      },
    )
}

async function projectDatabase(config: string | undefined): Promise<string> {
  return databaseOf(await loadProject(process.cwd(), config), undefined)
}

function portOf(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new InvalidArgumentError('It must be a number from 0 to 65535.')
  return port
}

/** Opens an address in the system's browser. If that fails, the user still has the printed address. */
function openBrowser(url: string): void {
  const [command, ...args] =
    process.platform === 'darwin'
      ? ['open', url]
      : process.platform === 'win32'
        ? ['rundll32', 'url.dll,FileProtocolHandler', url]
        : ['xdg-open', url]
  const child = spawn(command!, args, { stdio: 'ignore', detached: true })
  child.on('error', () => {})
  child.unref()
}
