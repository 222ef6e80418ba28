import { CorruptValueError } from '../contract/errors.ts'
import { encodeStoredKey } from '../key/codec.ts'
import { keyJson } from '../key/key-json.ts'
import { idOfKey } from '../key/pattern.ts'
import { encodeCursor } from '../query/cursor.ts'
import { plannerOf } from '../repository/find/planner-of.ts'
import type { Asked, AskedQuery } from './asked-query.ts'
import type { ReadRow } from './row-json.ts'

/** An unreadable row: its key as JSON, and why. */
export interface DamagedRow {
  readonly key: unknown
  readonly damage: string
}

/** What the request asks of a page. */
interface AskedPage extends AskedQuery {
  readonly limit: number
  readonly after: unknown
}

/** Some rows, and the cursor for the next ones. */
interface ReadablePage {
  readonly rows: readonly (ReadRow | DamagedRow)[]
  readonly cursor: string | null
}

/**
 * A page of a query. Ordered by key, it includes unreadable rows. In any other order nobody knows what follows an unreadable row,
 * so the page fails with its CorruptValueError.
 */
export async function readablePage(
  asked: Asked,
  page: AskedPage,
  signal: AbortSignal,
): Promise<ReadablePage> {
  const { definition, repository } = asked
  let damaged: CorruptValueError | null = null
  for (;;) {
    try {
      const where = damaged === null ? page.where : before(damaged)
      const query = { ...page, ...(where !== undefined && { where }) }
      const { entries, cursor } = await repository.findPage(query as never, { signal })
      const rows = entries as readonly ReadRow[]
      if (damaged === null || rows.length === page.limit) return { rows, cursor }
      const row = { key: keyJson(damaged.key), damage: damaged.message }
      const after = encodeCursor(plan(), encodeStoredKey(damaged.key), 'null')
      const limit = page.limit - rows.length - 1
      if (limit === 0) return { rows: [...rows, row], cursor: after }
      const rest = await readablePage(asked, { ...page, after, limit }, signal)
      return { rows: [...rows, row, ...rest.rows], cursor: rest.cursor }
    } catch (error) {
      if (!(error instanceof CorruptValueError) || plan().order.length > 0) throw error
      if (definition.pattern.every((part) => part !== '*'))
        return { rows: [{ key: keyJson(error.key), damage: error.message }], cursor: null }
      damaged = error
    }
  }

  function plan() {
    const { after: _, ...query } = page
    return plannerOf(definition).find(query, null).plan
  }

  function before({ key }: CorruptValueError): object {
    const operator = plan().keyDirection === 'desc' ? 'gt' : 'lt'
    const isBefore = { $id: { [operator]: idOfKey(definition.pattern, key) } }
    return page.where === undefined ? isBefore : { AND: [page.where, isBefore] }
  }
}
