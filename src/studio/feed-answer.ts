import type { IncomingMessage, ServerResponse } from 'node:http'
import { storeOf } from '../api/database.ts'
import type { InspectedDatabase } from '../api/open.ts'
import {
  CorruptLogError,
  CorruptValueError,
  DatabaseClosedError,
  LogTrimmedError,
} from '../contract/errors.ts'
import type { EngineName } from '../engines/engines.ts'
import { keyJson } from '../key/key-json.ts'
import { formatVersionstamp } from '../key/versionstamp.ts'
import type { Change } from '../watch/change.types.ts'
import { EventStream } from './event-stream.ts'
import type { OpenedDatabase } from './opened-database.ts'
import type { ProcessFigures } from './process-figures.ts'
import { rowJson } from './row-json.ts'
import { wholeCommits } from './whole-commits.ts'

const mostRecent = 1_000
/** How many bytes of the log to send of them. */
const mostRecentBytes = 65_536
const figuresEvery = 1_000
/** Longer values are left out. */
const longestValue = 2_000

/**
 * Commits as server-sent events, from the commit after `last-event-id` on; without one, after all existing commits but the last
 * `recent`. Each event `commit` has changes of one commit: `{ versionstamp, changes }`. Its id is the last commit that was sent
 * completely: continuing after it misses nothing, and repeats one commit at most. `gap`: earlier commits can no longer be read.
 * `process`: figures of this process, and sizes. `gone`: the file no longer exists.
 */
export async function feedAnswer(
  opened: OpenedDatabase,
  figures: ProcessFigures,
  { recent = 0 }: { readonly [name: string]: unknown },
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  if (!Number.isInteger(recent) || (recent as number) < 0 || (recent as number) > mostRecent)
    throw new RangeError(`recent must be a number of commits up to ${mostRecent}`)
  // Before the stream begins: a file that is gone is refused by the status, which the page can tell from a lost connection.
  let shown = await opened.database()
  const lastId = request.headers['last-event-id']
  let told = typeof lastId === 'string' ? lastId : await stampBefore(shown, recent as number)
  const events = new EventStream(response)
  await events.send('open', told, { newest: await stampBefore(shown, 0) })
  const tell = async () => {
    // A slow reader has enough to read.
    if (response.writableNeedDrain) return
    if (!opened.isThere()) return events.send('gone', told, {})
    const db = await opened.database()
    if (db !== shown) await events.send('catalog', told, {})
    shown = db
    const sizes = await storeOf(db)!.driver.sizes()
    await events.send('process', told, { ...figures.now(), ...sizes })
  }
  const timer = setInterval(() => tell().catch(() => {}), figuresEvery)
  try {
    // When a program declares more, the database is opened again, which ends the changes of the one before.
    while (!signal.aborted) {
      const db = await opened.database()
      try {
        const changes = db.changes({ since: told, signal })
        let last = told
        for await (const part of wholeCommits(changes)) {
          if (part.versionstamp !== last) told = last
          last = part.versionstamp
          const texts = part.changes.map((change) => changeJson(change, db))
          await events.sendText('commit', told, `{"versionstamp":"${last}","changes":[${texts.join(',')}]}`)
        }
      } catch (error) {
        // It was opened again.
        if (error instanceof DatabaseClosedError) continue
        if (!isGap(error)) throw error
        told = await stampBefore(db, 0)
        await events.send('gap', told, { message: error.message })
      }
    }
  } catch (error) {
    if (signal.aborted) return
    if (opened.isThere()) await events.send('failure', told, { message: String(error) })
    else await events.send('gone', told, {})
  } finally {
    clearInterval(timer)
    response.end()
  }
}

/** Whether the next commit of the log cannot be read, but later ones can. */
function isGap(error: unknown): error is Error {
  return (
    error instanceof LogTrimmedError || error instanceof CorruptLogError || error instanceof CorruptValueError
  )
}

/** The versionstamp before the last commits: this many, or fewer if they are large. */
async function stampBefore(db: InspectedDatabase<EngineName>, commits: number): Promise<string> {
  const last = await storeOf(db)!.driver.lastCommits(commits + 1)
  let left = mostRecentBytes
  const at = last.findIndex((commit, index) => {
    left -= commit.bytes
    return index === commits || left < 0
  })
  if (at >= 0) return formatVersionstamp(last[at]!.version)
  return formatVersionstamp(last.length === 0 ? 0 : last.at(-1)!.version - 1)
}

function changeJson(
  { type, key, versionstamp, value, superseded }: Change,
  db: InspectedDatabase<EngineName>,
): string {
  const store = storeOf(db)!
  const facts = {
    type,
    key: keyJson(key),
    repository: store.collectionOf(key),
    ...(superseded && { superseded }),
  }
  if (type !== 'set' || superseded) return JSON.stringify(facts)
  const row = rowJson({ key, value, versionstamp, expiresAt: null }, store)
  if (row.length > longestValue) return JSON.stringify({ ...facts, isLarge: true })
  return `${JSON.stringify(facts).slice(0, -1)},"row":${row}}`
}
