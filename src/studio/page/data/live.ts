import { signal } from '@preact/signals'
import { parseJson } from '../../../value/parse-json.ts'
import type { RowJson } from '../value/wire.ts'
import { ApiError, send, trouble } from './api.ts'
import { readEvents } from './read-events.ts'

/** A change, as the feed tells it. */
export interface ChangeJson {
  readonly type: 'set' | 'delete' | 'expire'
  readonly key: RowJson['key']
  readonly repository: string | null
  readonly superseded?: true
  readonly isLarge?: true
  readonly row?: RowJson
}

/** Changes of one commit: `at` in milliseconds since the epoch, when this page was told. */
export interface CommitJson {
  readonly versionstamp: string
  readonly changes: readonly ChangeJson[]
}

/** What the server's own process has counted since it began. */
export interface ProcessFigures {
  readonly conflicts: number
  readonly retries: number
  readonly waits: number
  readonly waited: number
  readonly fileBytes: number
  readonly walBytes: number
}

export interface Listener {
  readonly onCommit?: (commit: CommitJson) => void
  /** A commit that was there before the page. */
  readonly onPast?: (commit: CommitJson) => void
  /** From here on commits are told: what is shown is to be read again. */
  readonly onOpen?: () => void
  /** As `onOpen`, where commits before could not be told. */
  readonly onGap?: (message: string) => void
  readonly onProcess?: (figures: ProcessFigures) => void
  /** A program declares more than it did. */
  readonly onCatalog?: () => void
}

export const connection = signal<'connecting' | 'live' | 'lost'>('connecting')

const listeners = new Set<Listener>()
const longestWait = 4_000
/** For how many commits the page begins in the past. */
const recent = 200

let lastId: string | undefined
/** The last commit that was there before the page. */
let past: string | undefined
/** The changes of the commits that may come again, when the stream goes on behind the last whole one. */
let known = { versionstamp: '', names: new Set<string>() }

/** Listens to what is committed; gives what ends that. */
export function listen(listener: Listener): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Follows the feed for as long as the page is there, and goes on where it was after each loss. */
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

function take(event: string, data: unknown): void {
  const tell = (call: (listener: Listener) => void) => listeners.forEach(call)
  if (event === 'open') {
    connection.value = 'live'
    past ??= (data as { readonly newest: string }).newest
    trouble.value = null
    tell(({ onOpen }) => onOpen?.())
  } else if (event === 'commit') {
    const commit = withoutKnown(data as CommitJson)
    if (commit.changes.length === 0) return
    if (commit.versionstamp <= past!) tell(({ onPast }) => onPast?.(commit))
    else tell(({ onCommit }) => onCommit?.(commit))
  } else if (event === 'gap') tell(({ onGap }) => onGap?.((data as Error).message))
  else if (event === 'process') tell(({ onProcess }) => onProcess?.(data as ProcessFigures))
  else if (event === 'catalog') tell(({ onCatalog }) => onCatalog?.())
  else if (event === 'gone')
    trouble.value = new ApiError('FILE_GONE', 'The file of the database is gone: it was moved or removed')
  else if (event === 'failure') trouble.value = new ApiError('FAILURE', (data as Error).message)
}

/** A commit without the changes of it that were told before. */
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
