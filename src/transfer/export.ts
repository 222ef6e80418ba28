import type { KeyedRow, Session } from '../driver/driver.ts'
import { CorruptValueError } from '../errors.ts'
import { encodeKey } from '../key/codec.ts'
import { patternRange } from '../key/pattern.ts'
import type { KeyRange } from '../key/range.ts'
import { plannerOf } from '../repository/planner-of.ts'
import type { AnyDefinition } from '../schema/definition.types.ts'
import type { Store } from '../store/store.ts'
import type { EncodingId } from '../value/encoding.ts'
import { repositoryNamed } from './repository-named.ts'
import { type MovedRow, rowLine } from './row-line.ts'

/** Which rows to export: all; those of a repository; those of it that a `where` finds, as queries take it. */
export interface ExportedRows {
  readonly repository?: string | undefined
  readonly where?: unknown
}

export interface ExportOptions extends ExportedRows {
  readonly signal?: AbortSignal | undefined
  /** Called now and then with the number of rows so far. */
  readonly onProgress?: ((rows: number) => void) | undefined
}

const rowsPerPage = 500

/** Rows as text, page by page, of one state of the database and in the order of their keys. Rows that have expired are not among them. */
export async function* exportRows(store: Store, options: ExportOptions): AsyncGenerator<string> {
  for await (const page of exportedPages(store, options)) {
    yield page.map((row) => `${lineOf(row, store)}\n`).join('')
  }
}

/** The pages of the rows to export. */
export async function* exportedPages(
  store: Store,
  { repository, where, signal, onProgress }: ExportOptions,
): AsyncGenerator<readonly KeyedRow[]> {
  const definition = repository === undefined ? null : repositoryNamed(store.registry, repository)
  if (definition === null && where !== undefined)
    throw new TypeError('--where finds rows of one repository: name it with --repository')
  const session = store.driver.session('held')
  try {
    let range: KeyRange = definition === null ? everything : patternRange(definition.pattern)
    for (let rows = 0; ; ) {
      signal?.throwIfAborted()
      const page = await readPage(session, definition, where, range, signal)
      if (page.length > 0) yield page
      rows += page.length
      onProgress?.(rows)
      if (page.length < rowsPerPage) return
      range = { start: keyAfter(encodeKey(page.at(-1)!.key, longestKey)), end: range.end }
    }
  } finally {
    session.end()
  }
}

/** From the first key to the last: no type of a part has the code 0xff. */
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

/** The first key behind this one. */
function keyAfter(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1)
  next.set(key)
  return next
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
