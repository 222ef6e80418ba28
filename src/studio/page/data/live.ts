import { signal } from '@preact/signals'
import type { Sizes } from '../../../driver/stats.ts'
import { parseJson } from '../../../value/parse-json.ts'
import type { Figures } from '../../process-figures.ts'
import type { RowJson } from '../value/wire.ts'
import { ApiError, send, trouble } from './api.ts'
import { readEvents } from './read-events.ts'

/** A change in the feed. */
export interface ChangeJson {
  readonly type: 'set' | 'delete' | 'expire'
  readonly key: RowJson['key']
  readonly repository: string | null
  readonly superseded?: true
  readonly isLarge?: true
  readonly row?: RowJson
}

/** Changes of one commit: `at` in milliseconds since the epoch, when this page received it. */
export interface CommitJson {
  readonly versionstamp: string
  readonly changes: readonly ChangeJson[]
}

export interface Listener {
  readonly onCommit?: (commit: CommitJson) => void
  /** A commit from before the page was opened. */
  readonly onPast?: (commit: CommitJson) => void
  /** Commits are reported from here on: read again what is shown. */
  readonly onOpen?: () => void
  /** Like `onOpen`, but earlier commits could not be reported. */
  readonly onGap?: (message: string) => void
  readonly onProcess?: (figures: Figures & Sizes) => void
  /** A program has declared more. */
  readonly onCatalog?: () => void
}

export const connection = signal<'connecting' | 'live' | 'lost'>('connecting')

const listeners = new Set<Listener>()
const longestWait = 4_000
/** How many past commits the page begins with. */
const recent = 200

let lastId: string | undefined
/** The last commit from before the page was opened. */
let past: string | undefined
/** The changes that may be repeated when the stream continues after the last complete commit. */
let known = { versionstamp: '', names: new Set<string>() }

/** Listens to commits, until you call the returned function. */
export function listen(listener: Listener): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Follows the feed as long as the page is open, and continues after each lost connection. */
export async function follow(): Promise<void> {
  let wait = 100
  for (;;) {
    try {
      const headers = lastId === undefined ? {} : { 'last-event-id': lastId }
      const response = await send('feed', { recent }, headers, undefined)
      for await (const { event, id, data } of readEvents(response.body!)) {
        wait = 100
        if (id !== '') lastId = id
        take(event, parseJson(data))
      }
    } catch (error) {
      if (error instanceof ApiError && error.code === 'TOKEN') return
    }
    connection.value = 'lost'
    await new Promise((done) => setTimeout(done, wait))
    wait = Math.min(wait * 2, longestWait)
  }
}

const tell = (call: (listener: Listener) => void) => listeners.forEach(call)

/** Whether a request has failed that belongs to what is shown: others that succeed since do not make up for it. */
let isBehind = false
trouble.subscribe((it) => {
  if (it !== null) isBehind = true
})

function readAgain(): void {
  trouble.value = null
  isBehind = false
  tell(({ onOpen }) => onOpen?.())
}

function take(event: string, data: unknown): void {
  if (event === 'open') {
    connection.value = 'live'
    past ??= (data as { readonly newest: string }).newest
    readAgain()
  } else if (event === 'commit') {
    const commit = withoutKnown(data as CommitJson)
    if (commit.changes.length === 0) return
    if (commit.versionstamp <= past!) tell(({ onPast }) => onPast?.(commit))
    else tell(({ onCommit }) => onCommit?.(commit))
  } else if (event === 'gap') tell(({ onGap }) => onGap?.((data as Error).message))
  else if (event === 'process') {
    // It comes while the file is there: it was moved, and is back.
    if (isBehind) readAgain()
    tell(({ onProcess }) => onProcess?.(data as Figures & Sizes))
  } else if (event === 'catalog') tell(({ onCatalog }) => onCatalog?.())
  else if (event === 'gone')
    trouble.value = new ApiError('FILE_GONE', 'The file of the database is gone: it was moved or removed')
  else if (event === 'failure') trouble.value = new ApiError('FAILURE', (data as Error).message)
}

/** A commit without the changes that were already reported. */
function withoutKnown({ versionstamp, changes }: CommitJson): CommitJson {
  if (known.versionstamp !== versionstamp) known = { versionstamp, names: new Set() }
  const { names } = known
  return {
    versionstamp,
    changes: changes.filter(({ key }) => {
      const name = JSON.stringify(key)
      return !names.has(name) && names.add(name)
    }),
  }
}
