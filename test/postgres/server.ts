import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findPrograms, type Programs } from './programs.ts'
import { type Answer, askVariable } from './server-of-run.ts'

/** What a server must be like, if the usual one will not do. */
export interface ServerOptions {
  /** As `default_transaction_isolation`. They go over those of every server of the tests. */
  readonly settings?: Readonly<Record<string, string>> | undefined
  /** For initdb, as `--locale=en_US.UTF-8`. */
  readonly initdb?: readonly string[] | undefined
  /** The folder of programs other than those of the run. */
  readonly programs?: string | undefined
  /** Keeps its files as they were made, for later servers of the run: a copy takes a tenth of the time. */
  readonly isModel?: boolean | undefined
  /** The files of a server that is stopped, and its address: it follows that one. */
  readonly standbyOf?: Followed | undefined
}

/** A server that another one follows. */
export interface Followed {
  readonly url: string
  readonly folder: string
}

/**
 * Durable when a process dies, which the tests have happen, and not when the machine does. A run of many workers and their
 * children has many connections.
 */
const usualSettings = {
  fsync: 'off',
  full_page_writes: 'off',
  max_connections: '400',
  shared_buffers: '64MB',
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  // With its other files: a server that is killed leaves them where they are.
  dynamic_shared_memory_type: 'mmap',
}

const user = 'valkeyrie'

const passwordName = 'password'
const modelFiles = 'model'

/** The folder of the server that keeps its files for one like this, if the run has it. */
async function modelFor({ isModel, initdb, programs }: ServerOptions): Promise<string | undefined> {
  const ask = process.env[askVariable]
  if (ask === undefined || isModel === true || initdb !== undefined || programs !== undefined)
    return undefined
  const answer = (await (await fetch(ask)).json()) as Answer
  return 'folder' in answer ? answer.folder : undefined
}

function copyFiles(from: string, to: string, { as }: Programs): void {
  cpSync(from, to, { recursive: true })
  chmodSync(to, 0o700)
  if (as !== undefined) execFileSync('chown', ['-R', `${as.uid}:${as.gid}`, to])
}

/** A server with its files in a folder: it can die, and be started again. */
export class Server {
  readonly #programs: Programs
  readonly #data: string
  readonly #password: string
  readonly #settings: Readonly<Record<string, string>>
  #port: number | undefined
  #process: ChildProcess | undefined

  private constructor(programs: Programs, data: string, password: string, { settings }: ServerOptions) {
    this.#programs = programs
    this.#data = data
    this.#password = password
    this.#settings = { ...usualSettings, ...settings }
  }

  /** Makes the files. Rejects with what PostgreSQL says. */
  static async create(folder: string, options: ServerOptions): Promise<Server> {
    const programs = await findPrograms(folder, options.programs)
    const data = join(folder, 'data')
    const { standbyOf } = options
    if (standbyOf !== undefined) {
      const { hostname, port, username, password } = new URL(standbyOf.url)
      copyFiles(join(standbyOf.folder, 'data'), data, programs)
      for (const leftOver of ['postmaster.pid', 'postmaster.opts'])
        rmSync(join(data, leftOver), { force: true })
      writeFileSync(join(data, 'standby.signal'), '')
      const primary = `host=${hostname} port=${port} user=${username} password=${password}`
      const settings = { ...options.settings, primary_conninfo: primary }
      return new Server(programs, data, password, { ...options, settings })
    }
    const model = await modelFor(options)
    if (model !== undefined) {
      copyFiles(join(model, modelFiles), data, programs)
      return new Server(programs, data, readFileSync(join(model, passwordName), 'utf8'), options)
    }
    const password = randomBytes(16).toString('hex')
    const passwordFile = join(folder, passwordName)
    writeFileSync(passwordFile, password)
    const flags = [
      `--pgdata=${data}`,
      `--username=${user}`,
      `--pwfile=${passwordFile}`,
      // Cheap to check, and thousands of connections check it.
      '--auth=md5',
      '--encoding=UTF8',
      `--locale=${process.platform === 'linux' ? 'C.UTF-8' : 'C'}`,
      '--no-sync',
      '--no-instructions',
      ...(options.initdb ?? []),
    ]
    await promisify(execFile)(programs.initdb, flags, { ...programs.as })
    if (options.isModel === true) copyFiles(data, join(folder, modelFiles), programs)
    return new Server(programs, data, password, options)
  }

  /** Of the user that may do everything, with its password. */
  get url(): string {
    return `postgres://${user}:${this.#password}@127.0.0.1:${this.#port}/postgres`
  }

  /** Starts it again at the same address. Rejects with what it says if it ends. */
  async start(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const port = this.#port ?? (await freePort())
      const failure = await this.#startAt(port)
      if (failure === null) {
        this.#port = port
        return
      }
      // Somebody else may have taken the port meanwhile.
      if (this.#port !== undefined || attempt === 5) throw new Error(failure)
    }
  }

  /** Ends it: by SIGINT transactions that are open are rolled back, by SIGKILL it dies. */
  async stop(signal: 'SIGINT' | 'SIGKILL' = 'SIGINT'): Promise<void> {
    const child = this.#process
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    // What it has started has the pipe of its errors open: once it is closed, nothing of the server is left.
    const closed = once(child, 'close')
    child.kill(signal)
    await closed
  }

  async #startAt(port: number): Promise<string | null> {
    const flags = Object.entries(this.#settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const child = spawn(this.#programs.postgres, ['-D', this.#data, '-p', String(port), ...flags], {
      ...this.#programs.as,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.#process = child
    let said = ''
    child.stderr.setEncoding('utf8')
    const ready = new Promise<null>((resolve) => {
      child.stderr.on('data', (text: string) => {
        if (said.length < 10_000) said += text
        if (/ready to accept (read-only )?connections/.test(text)) resolve(null)
      })
    })
    const ended = once(child, 'close').then(() => said)
    return Promise.race([ready, ended])
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (typeof address !== 'object' || address === null) throw new Error('there is no free port')
  return address.port
}
