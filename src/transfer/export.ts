import { CorruptValueError, StorageError } from '../contract/errors.ts'
import type { KeyedRow, Salvage, Session, UnreadableRow } from '../driver/driver.ts'
import { encodeKey } from '../key/codec.ts'
import { patternRange } from '../key/pattern.ts'
import { contains, type KeyRange, successor } from '../key/range.ts'
import { plannerOf } from '../repository/find/planner-of.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import type { Store } from '../store/store.ts'
import type { EncodingId } from '../value/encoding.ts'
import { repositoryNamed } from './repository-named.ts'
import { type MovedRow, rowLine } from './row-line.ts'

/** Which rows to export: all, those of a repository, or those that its `where` finds. */
export interface ExportedRows {
  readonly repository?: string | undefined
  readonly where?: unknown
}

export interface ExportOptions extends ExportedRows {
  readonly signal?: AbortSignal | undefined
  /** Called now and then with the number of rows so far. */
  readonly onProgress?: ((rows: number) => void) | undefined
  /** Called for each unreadable row, which is then left out. Without it, the first one ends the export. */
  readonly onUnreadable?: ((row: UnreadableRow) => void) | undefined
}

const rowsPerPage = 500

/** Rows as text, page by page, from one state of the database, in the order of their keys. Leaves out expired rows. */
export async function* exportRows(store: Store, options: ExportOptions): AsyncGenerator<string> {
  for await (const page of exportedPages(store, options)) {
    yield page.map((row) => `${lineOf(row, store)}\n`).join('')
  }
}

/** The pages of the rows to export. */
export async function* exportedPages(
  store: Store,
  { repository, where, signal, onProgress, onUnreadable }: ExportOptions,
): AsyncGenerator<readonly KeyedRow[]> {
  const definition = repository === undefined ? null : repositoryNamed(store.registry, repository)
  if (definition === null && where !== undefined)
    throw new TypeError('--where needs one repository: name it with --repository')
  if (where !== undefined && onUnreadable !== undefined)
    throw new TypeError('--where cannot say whether an unreadable row matches: leave out --skip-unreadable')
  const session = store.driver.session('held')
  try {
    const pages =
      onUnreadable === undefined
        ? readPages(session, definition, where, signal)
        : salvagePages(session, definition, onUnreadable, signal)
    let rows = 0
    for await (const page of pages) {
      if (page.length > 0) yield page
      rows += page.length
      onProgress?.(rows)
    }
  } finally {
    session.end()
  }
}

async function* readPages(
  session: Session,
  definition: AnyDefinition | null,
  where: unknown,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly KeyedRow[]> {
  let range: KeyRange = definition === null ? everything : patternRange(definition.pattern)
  for (;;) {
    signal?.throwIfAborted()
    const page = await readPage(session, definition, where, range, signal)
    range = behind(page, range)
    yield page
    if (page.length < rowsPerPage) return
  }
}

/** The part of a range after a page. In a damaged file with keys out of order, rows would otherwise repeat, or never end. */
function behind(page: readonly KeyedRow[], range: KeyRange): KeyRange {
  let rest = range
  for (const { key } of page) {
    const encoded = encodeKey(key, longestKey)
    if (!contains(rest, encoded)) throw new StorageError('SQLITE_CORRUPT', 'The keys are out of order')
    rest = { start: successor(encoded), end: range.end }
  }
  return rest
}

async function* salvagePages(
  session: Session,
  definition: AnyDefinition | null,
  onUnreadable: (row: UnreadableRow) => void,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly KeyedRow[]> {
  let after: Salvage['after'] = null
  do {
    signal?.throwIfAborted()
    const salvage: Salvage = { collection: definition?.name ?? null, after, limit: rowsPerPage }
    const { rows, unreadable, next } = await session.read({ type: 'salvage', salvage }, signal)
    unreadable.forEach(onUnreadable)
    yield rows
    after = next
  } while (after !== null)
}

/** From the first key to the last: no part has the type code 0xff. */
const everything: KeyRange = { start: new Uint8Array(), end: new Uint8Array([0xff]) }
const longestKey = Number.MAX_SAFE_INTEGER

function readPage(
  session: Session,
  definition: AnyDefinition | null,
  where: unknown,
  range: KeyRange,
  signal: AbortSignal | undefined,
): Promise<KeyedRow[]> {
  if (definition !== null && where !== undefined) {
    const query = plannerOf(definition).find({ where, orderBy: { $id: 'asc' }, limit: rowsPerPage }, range)
    return session.read({ type: 'find', query }, signal)
  }
  const collection = definition?.name ?? null
  return session.read(
    { type: 'scan', scan: { range, collection, reverse: false, limit: rowsPerPage } },
    signal,
  )
}

function lineOf(row: KeyedRow, store: Store): string {
  const repository = store.collectionOf(row.key)
  try {
    return rowLine({ ...movedRow(row), repository })
  } catch (error) {
    throw new CorruptValueError(row.key, error)
  }
}

function movedRow({ key, value, encoding, types, expiresAt }: KeyedRow): MovedRow {
  return { key, stored: { value, encoding: encoding as EncodingId, types }, expiresAt }
}
