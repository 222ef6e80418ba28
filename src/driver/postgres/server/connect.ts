import { createRequire } from 'node:module'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'drizzle-orm/logger'
import type pg from 'pg'
import { ConnectionError, DatabaseOpenError } from '../../../contract/errors.ts'
import { clock } from '../../../time/clock.ts'
import { databaseOf, shownAddress, shownHost } from './address.ts'
import type { Ask } from './array-query.ts'
import { askByNumbers, Connection, type NameKeeping } from './connection.ts'
import type { OpenClient } from './open-client.types.ts'
import { isUnreached, sqlState } from './server-error.ts'
import { Silence } from './silence.ts'

export type Pg = typeof pg

/** Loads `pg`, which users of PostgreSQL must install. */
export async function loadPg(address: string): Promise<Pg> {
  try {
    // An import would make bundlers look for a package that most programs do not have.
    return createRequire(import.meta.url)('pg')
  } catch (cause) {
    const reason = 'PostgreSQL needs the package pg, which is not installed: run "npm install pg"'
    throw new DatabaseOpenError(shownAddress(address), reason, { cause })
  }
}

/** The class of clients of an address. Of a name of a database with escapes, pg itself leaves some, such as `%2F` and `%3F`. */
export function clientOf({ Client }: Pg, address: string): typeof Client {
  const database = databaseOf(address)
  if (database === null) return Client
  return class extends Client {
    constructor(config?: pg.ClientConfig) {
      super(config)
      Object.assign((this as unknown as { connectionParameters: object }).connectionParameters, { database })
    }
  }
}

/** How many milliseconds between two attempts to reach the server: at first, and at most. */
const shortestPause = 10
const longestPause = 1_000
/** How many milliseconds before the system probes an idle connection. */
const keepAliveAfter = 10_000
/** The settings of each connection. */
const settings = [
  'default_transaction_isolation=read\\ committed',
  'jit=off',
  'extra_float_digits=1',
  // Makes the server read a page in the order of an index. With the costs of a spinning disk, it would sort a small table, and read
  // the JSON of all its rows again.
  'random_page_cost=1.1',
  // If a machine disappears in the middle of a commit, all others would wait for hours: the server probes the connection, and rolls
  // back.
  'tcp_keepalives_idle=10',
  'tcp_keepalives_interval=5',
  'tcp_keepalives_count=3',
  'idle_in_transaction_session_timeout=60000',
  // The bodies of functions are read by these, and the definitions of indexes are compared with ours.
  'standard_conforming_strings=on',
  'quote_all_identifiers=off',
]
/** How many milliseconds one statement may take by default; a set-up may take any time. */
const longestStatement = 300_000

interface ConnectOptions {
  /** How many milliseconds to try to reach the server. */
  readonly connectTimeout: number
  readonly logger?: Logger | undefined
  /** In milliseconds; 0 for no limit. */
  readonly statementTimeout?: number
}

/** Opens connections to a server. */
export class Connector {
  readonly address: string
  readonly #Client: Pg['Client']
  readonly #options: ConnectOptions
  readonly #ask: Ask
  readonly #names: NameKeeping = { isKept: true }
  readonly #silence: Silence
  /** Whether the server accepts settings in the first message; poolers may not. */
  #takesSettings = true

  constructor(pg: Pg, address: string, options: ConnectOptions) {
    this.#Client = clientOf(pg, address)
    this.address = address
    this.#options = options
    this.#ask = askByNumbers(pg)
    this.#silence = new Silence(() => this.#attempt(), options.connectTimeout)
  }

  /** `processId`: the number of the process that serves a connection, by its own word. A pooler has its own numbers for clients. */
  noticePooler(connection: Connection, processId: number): void {
    this.#silence.isPooled = connection.processId !== processId
  }

  /** Opens the first connection; rejects with a DatabaseOpenError, at once if waiting is pointless. */
  first(): Promise<Connection> {
    return this.#connect(mayPass, () => true)
  }

  /** Opens another connection, and keeps trying until `connectTimeout` is over; rejects with a ConnectionError. */
  async again(isWanted: () => boolean): Promise<Connection> {
    try {
      return await this.#connect(isUnreached, isWanted)
    } catch (cause) {
      throw new ConnectionError(false, { cause })
    }
  }

  async #connect(mayPass: (error: unknown) => boolean, isWanted: () => boolean): Promise<Connection> {
    const began = clock()
    for (let pause = shortestPause; ; pause = Math.min(2 * pause, longestPause)) {
      try {
        const connection = await this.#attempt()
        this.#silence.watch(connection)
        return connection
      } catch (error) {
        const left = this.#options.connectTimeout - (clock() - began)
        if (!mayPass(error) || left <= 0 || !isWanted()) throw this.#openError(error)
        await delay(Math.min(pause * (0.5 + Math.random() / 2), left))
      }
    }
  }

  async #attempt(): Promise<Connection> {
    const client = this.#client()
    // The server may end a connection in the same message that completes it. Without a listener, that would end this process.
    let ending: Error | undefined
    client.on('error', (error) => {
      ending ??= error
    })
    try {
      await client.connect()
      if (ending !== undefined) throw ending
    } catch (error) {
      void client.end().catch(() => {})
      if (!this.#takesSettings || !isOfPooler(error)) throw error
      this.#takesSettings = false
      return this.#attempt()
    }
    return new Connection(client, this.#ask, this.#names, this.#options.logger)
  }

  #client(): OpenClient {
    return new this.#Client({
      application_name: 'valkeyrie',
      ...this.#settings(),
      connectionString: this.#takesSettings ? withoutFlags(this.address) : this.address,
      pipeline: true,
      keepAlive: true,
      keepAliveInitialDelayMillis: keepAliveAfter,
      connectionTimeoutMillis: this.#options.connectTimeout,
    }) as OpenClient
  }

  #settings(): pg.ClientConfig {
    if (!this.#takesSettings) return {}
    return {
      statement_timeout: this.#options.statementTimeout ?? longestStatement,
      // The last one counts.
      options: [...settings.map((setting) => `-c ${setting}`), flagsOf(this.address)].join(' ').trimEnd(),
    }
  }

  #openError(error: unknown): DatabaseOpenError {
    const shown = shownAddress(this.address)
    return new DatabaseOpenError(shown, reasonOf(error, shownHost(this.address)), { cause: error })
  }
}

/** The settings that an address has in its `options`, or the environment. A pooler may have `options` of its own, in another form. */
function flagsOf(address: string): string {
  const options = new URL(address).searchParams.get('options')
  if (options === null) return process.env['PGOPTIONS'] ?? ''
  return areFlags(options) ? options : ''
}

/** An address without the settings that go with ours: in it, they would replace them. */
function withoutFlags(address: string): string {
  const url = new URL(address)
  if (!areFlags(url.searchParams.get('options'))) return address
  url.searchParams.delete('options')
  return url.href
}

function areFlags(options: string | null): boolean {
  return options?.trimStart().startsWith('-') === true
}

/** Whether a server that could not be reached may accept a moment later: it exists, but is starting or full. */
function mayPass(error: unknown): boolean {
  const state = sqlState(error)
  return state === '57P03' || state === '53300'
}

/** Whether a pooler has refused the settings of a connection. */
function isOfPooler(error: unknown): boolean {
  return ['08P01', '42704', '22023', '0A000'].includes(sqlState(error) ?? '')
}

function reasonOf(error: unknown, host: string): string {
  const state = sqlState(error)
  if (isOfRole(error))
    return 'the server has no user of this name who may log in: create the role with LOGIN, or correct the user in the address'
  if (state !== undefined) {
    const reason = serverReasons[state]
    return reason ?? `the server refuses it (${state}): ${(error as Error).message}`
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return networkReasons[code] ?? `no server answers at ${host}: ${(error as Error).message}`
}

/** `28000` also stands for refusals by pg_hba.conf; the name of the server's function tells them apart. */
function isOfRole(error: unknown): boolean {
  const { routine } = error as { readonly routine?: unknown }
  return sqlState(error) === '28000' && routine === 'InitializeSessionUserId'
}

const serverReasons: Readonly<Record<string, string>> = {
  '28P01': 'the server refuses the user or the password: open with an address that has the right ones',
  '28000':
    'the server does not let this user in from here: check its pg_hba.conf, and whether it requires TLS',
  '3D000': 'the server has no such database: create it first',
  '53300': 'the server has no connection left: lower connections, or raise its max_connections',
  '57P03': 'the server is starting up or shutting down',
}

const networkReasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'no server listens there: start it, or correct the host and the port',
  ENOTFOUND: 'there is no such host: correct the address',
  ETIMEDOUT: 'the server does not answer: check the host, the port and the firewall',
}
