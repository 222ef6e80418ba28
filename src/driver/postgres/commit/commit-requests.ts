import { type CommitPlan, needsOf } from '../../../commit/plan.ts'
import type { LogRetention, LogTrim } from '../../../commit/retention.ts'
import { trimOf } from '../../../commit/retention.ts'
import type { FoundRow } from '../../../commit/row.ts'
import type { HeldValues, UniqueFields } from '../../../commit/unique.ts'
import type { AtomicWrite, Claim } from '../../../commit/write.ts'
import { StorageError } from '../../../contract/errors.ts'
import type { BatchOutcome } from '../../driver.ts'
import type { QueryRunner } from '../query/query-runner.ts'
import { FactsStatements, type KnownFacts, readFacts } from '../rows/facts.ts'
import type { Statements } from '../rows/statements.ts'
import type { ServerClock } from '../server/server-clock.ts'
import type { Row, RunStatement, Statement } from '../server/statement.types.ts'
import { ServerCatalog } from '../tables/catalog.ts'
import { ServerIndexes } from '../tables/indexes.ts'
import type { UniqueIndexes } from '../tables/unique-indexes.ts'
import type { BatchParameters } from './plan-parameters.ts'
import type { Requests } from './requests.ts'
import { type ShortCommit, ShortCommits } from './short-commits.ts'

/** The rows that the query of each claim finds. */
export type Claimable = ReadonlyMap<Claim, readonly FoundRow[]>

export interface CommitParts {
  readonly schema: string
  readonly statements: Statements
  readonly requests: Requests
  readonly queries: QueryRunner
  readonly unique: UniqueIndexes
  readonly clock: ServerClock
  readonly options: {
    readonly retention: LogRetention
    readonly logValues: boolean
    readonly busyTimeout: number
    readonly connectTimeout: number
  }
}

/** The result of the function that commits. */
export interface CommitAnswer {
  /** One of `CommitState`. */
  readonly state: number
  readonly latest: number
  readonly turns: string
  /** The token of the attempt that was already committed; null if there is none. */
  readonly attempt: Buffer | null
}

/** The server ends a connection that sends more at once. This leaves room for what surrounds the parameters. */
const mostBytes = 2 ** 30 - 2 ** 20

/** The requests of a batch of writes to the server. */
export class CommitRequests {
  readonly #parts: CommitParts
  readonly #facts: FactsStatements
  readonly #short: ShortCommits
  #trimming: Promise<void> = Promise.resolve()

  constructor(parts: CommitParts) {
    this.#parts = parts
    this.#facts = new FactsStatements(parts.schema)
    this.#short = new ShortCommits(parts.schema)
  }

  get unique(): UniqueFields {
    return this.#parts.unique.fields
  }

  get logValues(): boolean {
    return this.#parts.options.logValues
  }

  get lockTimeout(): number {
    return this.#parts.options.busyTimeout
  }

  /** Milliseconds since the epoch by the server's clock, as far as it is known. */
  now(): number {
    return this.#parts.clock.now()
  }

  /** How many milliseconds to ask for a lost answer. */
  get connectTimeout(): number {
    return this.#parts.options.connectTimeout
  }

  /** Runs the function that carries out a plan. Rejects with ConnectionLost if there is no answer. */
  async commit(parameters: readonly unknown[]): Promise<CommitAnswer> {
    const row = await this.#write(this.#parts.statements.commit, parameters)
    const [, state, latest, turns, attempt] = row!
    return {
      state: state as number,
      latest: latest as number,
      turns: turns as string,
      attempt: attempt as Buffer | null,
    }
  }

  /** The single statement that carries out a plan if no commit comes in between; null if the plan needs the function. */
  short(plan: CommitPlan, batch: BatchParameters): ShortCommit | null {
    return this.#short.of(plan, batch)
  }

  /** Returns whether it was carried out. Rejects like `commit`. */
  async commitShort({ statement, parameters }: ShortCommit): Promise<boolean> {
    return (await this.#write(statement, parameters)) !== undefined
  }

  /** Runs a statement that commits. Its only row begins with the time of the server. */
  async #write(statement: Statement, parameters: readonly unknown[]): Promise<Row | undefined> {
    const { requests, clock } = this.#parts
    const bytes = parameters.reduce<number>((sum, it) => sum + (it instanceof Buffer ? it.length : 0), 0)
    if (bytes > mostBytes) throw new StorageError('54000', 'A request to PostgreSQL holds at most 1 GB')
    const sent = Date.now()
    const [row] = await requests.write(statement, parameters)
    if (row !== undefined) clock.heard(row[0] as number, sent, Date.now())
    return row
  }

  /** Reads what is needed to plan writes, from one state. */
  async facts(
    writes: readonly AtomicWrite[],
  ): Promise<{ readonly known: KnownFacts; readonly claimable: Claimable }> {
    const { requests, queries, clock } = this.#parts
    const needs = needsOf(writes)
    const claims = writes.flatMap(({ claim }) => claim ?? [])
    const read = (run: RunStatement) => this.#facts.read(needs, run)
    const find = (run: RunStatement) => Promise.all(claims.map((claim) => queries.find(claim.query, { run })))
    const sent = Date.now()
    const [rows, found] = await requests.again(async () =>
      claims.length === 0
        ? ([await read(requests.run), []] as const)
        : requests.ofOneState(async (run) => Promise.all([read(run), find(run)])),
    )
    const known = readFacts(needs, rows)
    clock.heard(known.now, sent, Date.now())
    return { known, claimable: new Map(claims.map((claim, place) => [claim, found[place]!])) }
  }

  /** The rows that violate a unique index, after one has refused a plan. */
  holders({ rows }: CommitPlan): Promise<HeldValues> {
    const { requests, unique } = this.#parts
    return requests.again(async () => {
      unique.know(await this.#indexes().built())
      return unique.holdersOf(rows, requests.run)
    })
  }

  /** The catalogue, because it differs from the one by which the writes were filed. */
  async catalog(): Promise<Extract<BatchOutcome, { type: 'stale' }>> {
    const { requests, unique, schema } = this.#parts
    const catalog = await requests.again(async () => {
      const built = await this.#indexes().built()
      unique.know(built)
      return new ServerCatalog(schema, requests.run).read(built)
    })
    return { type: 'stale', catalog }
  }

  /**
   * Trims the log if that is due after the versions from `before + 1` to `latest`. Only the next trim waits for this one, so a log
   * never grows faster than it is trimmed.
   */
  async trimAfter(before: number, latest: number): Promise<void> {
    const trim = trimOf(this.#parts.options.retention, before, latest, this.now())
    if (trim === null) return
    await this.#trimming
    this.#trimming = this.#trim(trim)
  }

  /** Resolves when the log is as short as the commits so far require. */
  get trimmed(): Promise<void> {
    return this.#trimming
  }

  async #trim({ look, newest, upTo, before }: LogTrim): Promise<void> {
    const { requests, statements } = this.#parts
    // Without a limit, every row is young enough.
    const time = Number.isFinite(before) ? Math.floor(before) : 0
    const last = Number.isFinite(upTo) ? upTo : 0
    try {
      await requests.run(statements.trim, [look, newest, last, time])
    } catch {
      // The commit stands; the next trim removes more.
    }
  }

  #indexes(): ServerIndexes {
    return new ServerIndexes(this.#parts.schema, this.#parts.requests.run)
  }
}
