// The statements of every hot path are in one file, so that one look shows what a connection prepares.
import { and, asc, eq, gt, isNotNull, lte, max, min, type Placeholder, sql } from 'drizzle-orm'
import type { Logger } from 'drizzle-orm/logger'
import { CorruptLogError } from '../../../contract/errors.ts'
import { isVersion, versionText } from '../../../key/versionstamp.ts'
import type { StoredRow } from '../../driver.ts'
import { drizzleOver } from '../module/drizzle-over.ts'
import type { Connection } from '../module/sqlite-module.ts'
import type { KvTables } from '../tables/table.ts'
import { isDamaged } from './damaged-rows.ts'
import type { KvRow, NewRow, ReplacingRow } from './kv-row.ts'
import { plannedOnce } from './planned-once.ts'
import { SealingReplacement, SealingStatement, UnsealingStatement } from './sealed-statement.ts'
import { type BuiltQuery, type Query, Statement } from './statement.ts'

type Key = Uint8Array
type Value = string | Uint8Array
type Expiry = number | null

/** The parameters of `NewRow`, in the order of the table's columns. */
const newRowNames = ['key', 'collection', 'encoding', 'types', 'version', 'expiresAt', 'value']

/** A statement without parameters that controls the connection. */
interface ControlStatement {
  run(): unknown
  get(): unknown
}

/** The row under a key, if it has this version and has not expired. */
const ofVersion = 'key = ? AND version = ? AND (expires_at IS NULL OR expires_at > ?)'

const named = sql.placeholder

/** The parts of queries. */
function makeQueryParts(connection: Connection, { kv, kvLog }: KvTables) {
  return {
    db: drizzleOver(connection),
    kv,
    kvLog,
    row: {
      value: kv.value,
      encoding: kv.encoding,
      types: kv.types,
      version: kv.version,
      expiresAt: kv.expiresAt,
    },
    newRow: {
      key: named('key'),
      collection: named('collection'),
      value: named('value'),
      encoding: named('encoding'),
      types: named('types'),
      version: named('version'),
      expiresAt: named('expiresAt'),
    },
    limit: plannedOnce(named('limit')) as unknown as Placeholder,
    atKey: eq(kv.key, named('key')),
    dead: and(isNotNull(kv.expiresAt), lte(kv.expiresAt, named('now'))),
  }
}

type QueryParts = ReturnType<typeof makeQueryParts>

/** Makes a query of these parts, or is its text. */
type MakeQuery = ((parts: QueryParts) => BuiltQuery) | string

/** Every statement of the driver's hot paths, each prepared once per connection. */
export function prepareStatements(
  connection: Connection,
  tables: KvTables,
  logger?: Logger,
  checksums = false,
) {
  let parts: QueryParts | undefined
  /** Made for the first statement that is not text: opening a file and reading a row needs none. */
  const query = (make: MakeQuery): Query => {
    if (typeof make === 'string') return make
    return () => {
      parts ??= makeQueryParts(connection, tables)
      return make(parts)
    }
  }
  const prepare = <
    Parameters extends readonly (Value | number | null)[],
    Row extends readonly unknown[] = never,
  >(
    make: MakeQuery,
    ...names: string[]
  ) => new Statement<Parameters, Row>(connection, query(make), names, logger)

  const Read = checksums ? UnsealingStatement : Statement
  const prepareRead = <Row extends readonly unknown[]>(make: MakeQuery, ...names: string[]) =>
    new Read<[Key], Row>(connection, query(make), names, logger)

  const Write = checksums ? SealingStatement : Statement<NewRow, never>
  const prepareWrite = (make: MakeQuery) => new Write(connection, query(make), newRowNames, logger)

  const Replacement = checksums ? SealingReplacement : Statement<ReplacingRow, never>

  const control = (text: string): ControlStatement => connection.prepare(text)

  return {
    control: {
      beginRead: control('BEGIN'),
      beginWrite: control('BEGIN IMMEDIATE'),
      commit: control('COMMIT'),
      rollback: control('ROLLBACK'),
      savepoint: control('SAVEPOINT one_write'),
      release: control('RELEASE one_write'),
      rollbackTo: control('ROLLBACK TO one_write'),
      dataVersion: connection.prepare('PRAGMA data_version').pluck() as ControlStatement,
      schemaVersion: connection.prepare('PRAGMA schema_version').pluck() as ControlStatement,
    },
    // Text, like all statements that every process runs: its first Drizzle query costs a process some milliseconds.
    get: prepareRead<KvRow>('SELECT value, encoding, types, version, expires_at FROM kv WHERE key = ?'),
    /** A row, followed by its collection. */
    getFiled: prepareRead<readonly [...KvRow, string | null]>(
      ({ db, kv, row, atKey }) =>
        db
          .select({ ...row, collection: kv.collection })
          .from(kv)
          .where(atKey),
      'key',
    ),
    /** version, expires_at */
    version: prepare<[Key], readonly [number, Expiry]>(
      ({ db, kv, atKey }) =>
        db.select({ version: kv.version, expiresAt: kv.expiresAt }).from(kv).where(atKey),
      'key',
    ),
    /** Whether an index over fields may prevent writing this row: it is damaged, or bytes. */
    isInTheWay: prepare<[Key], readonly [number]>(
      `SELECT encoding NOT IN (0, 1) OR (${isDamaged}) FROM kv WHERE key = ?`,
    ),
    /** The key alone determines the collection, so replacing a value leaves that column and its index untouched. */
    upsert: prepareWrite(({ db, kv, newRow }) =>
      db
        .insert(kv)
        .values(newRow)
        .onConflictDoUpdate({
          target: kv.key,
          set: {
            value: sql`excluded.value`,
            encoding: sql`excluded.encoding`,
            types: sql`excluded.types`,
            version: sql`excluded.version`,
            expiresAt: sql`excluded.expires_at`,
          },
        }),
    ),
    /** Changes nothing if there is a row under the key. */
    insert: prepareWrite(({ db, kv, newRow }) =>
      db.insert(kv).values(newRow).onConflictDoNothing({ target: kv.key }),
    ),
    /** Changes nothing if the row under the key has another version, or has expired. */
    replace: new Replacement(
      connection,
      `UPDATE kv SET value = ?, encoding = ?, types = ?, version = ?, expires_at = ? WHERE ${ofVersion}`,
      [],
      logger,
    ),
    /** Like `replace`, but removes the row. */
    removeVersion: prepare<[Key, number, number]>(`DELETE FROM kv WHERE ${ofVersion}`),
    touch: prepare<[number, Expiry, Key]>(
      ({ db, kv, atKey }) =>
        db
          .update(kv)
          .set({ version: sql`${named('version')}`, expiresAt: sql`${named('expiresAt')}` })
          .where(atKey),
      'version',
      'expiresAt',
      'key',
    ),
    remove: prepare<[Key]>(({ db, kv, atKey }) => db.delete(kv).where(atKey), 'key'),
    removeAll: prepare<[]>(({ db, kv }) => db.delete(kv)),
    allKeys: prepare<[Key, number], readonly [Key]>(
      ({ db, kv, limit }) =>
        db
          .select({ key: kv.key })
          .from(kv)
          .where(gt(kv.key, named('after')))
          .orderBy(asc(kv.key))
          .limit(limit),
      'after',
      'limit',
    ),
    expired: prepare<[number, number], readonly [Key]>(
      ({ db, kv, limit, dead }) =>
        db.select({ key: kv.key }).from(kv).where(dead).orderBy(asc(kv.expiresAt)).limit(limit),
      'now',
      'limit',
    ),
    /** key, version */
    expiredBetween: prepare<[number, number], readonly [Key, number]>(
      ({ db, kv }) =>
        db
          .select({ key: kv.key, version: kv.version })
          .from(kv)
          .where(and(gt(kv.expiresAt, named('after')), lte(kv.expiresAt, named('now')))),
      'after',
      'now',
    ),
    nextExpiry: prepare<[], readonly [number | null]>(
      'SELECT min(expires_at) FROM kv WHERE expires_at IS NOT NULL',
    ),
    latestVersion: prepare<[], readonly [number | null]>(({ db, kvLog }) =>
      db.select({ latest: max(kvLog.version) }).from(kvLog),
    ),
    appendLog: prepare<[number, number, Uint8Array]>(
      ({ db, kvLog }) =>
        db.insert(kvLog).values({ version: named('version'), at: named('at'), changes: named('changes') }),
      'version',
      'at',
      'changes',
    ),
    /** version, at, and changes, whatever the file has there */
    logSince: prepare<[number, number], readonly [number, number, unknown]>(
      ({ db, kvLog, limit }) =>
        db
          .select({ version: kvLog.version, at: kvLog.at, changes: kvLog.changes })
          .from(kvLog)
          .where(gt(kvLog.version, named('version')))
          .orderBy(asc(kvLog.version))
          .limit(limit),
      'version',
      'limit',
    ),
    /** Text: the table may be missing, because the first call that waits for a turn creates it. */
    turnsTable: prepare<[], readonly [1]>(
      "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'kv_turns'",
    ),
    makeTurnsTable: prepare<[]>(
      'CREATE TABLE IF NOT EXISTS kv_turns (place INTEGER PRIMARY KEY, id TEXT NOT NULL, until INTEGER NOT NULL, active INTEGER NOT NULL)',
    ),
    /** id, until, active */
    readTurns: prepare<[], readonly [string, number, number]>(
      'SELECT id, until, active FROM kv_turns ORDER BY place',
    ),
    addTurn: prepare<[string, number, number]>('INSERT INTO kv_turns (id, until, active) VALUES (?, ?, ?)'),
    removeTurns: prepare<[]>('DELETE FROM kv_turns'),
    oldestVersion: prepare<[], readonly [number | null]>(({ db, kvLog }) =>
      // No commit has the version 0.
      db
        .select({ oldest: min(kvLog.version) })
        .from(kvLog)
        .where(gt(kvLog.version, sql`0`)),
    ),
    trimLog: prepare<[number]>(
      ({ db, kvLog }) => db.delete(kvLog).where(lte(kvLog.version, named('version'))),
      'version',
    ),
    /** version, at */
    oldestLog: prepare<[number], readonly [number, number]>(
      ({ db, kvLog, limit }) =>
        db
          .select({ version: kvLog.version, at: kvLog.at })
          .from(kvLog)
          .orderBy(asc(kvLog.version))
          .limit(limit),
      'limit',
    ),
  }
}

export type Statements = ReturnType<typeof prepareStatements>

export function toStoredRow(row: KvRow | readonly [...KvRow, unknown]): StoredRow {
  return { value: row[0], encoding: row[1], types: row[2], version: row[3], expiresAt: row[4] }
}

/** How many versions must be left after the newest one: more than any transaction takes. */
const versionsLeft = 2 ** 32

/** The newest version; 0 without commits. Throws a CorruptLogError for a version that no database can have reached. */
export function latestVersion({ latestVersion }: Statements): number {
  const latest = latestVersion.get()![0] ?? 0
  if (latest !== 0 && !(isVersion(latest) && isVersion(latest + versionsLeft))) {
    throw new CorruptLogError(
      versionText(latest),
      'because no version can follow it: restore the file from a backup, or delete this row of kv_log',
    )
  }
  return latest
}
