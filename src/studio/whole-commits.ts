import { setTimeout as wait } from 'node:timers/promises'
import type { Change } from '../watch/change.types.ts'

/** Changes of one commit, in their order: all of them, or the next part of a large one. */
export interface CommitPart {
  readonly versionstamp: string
  readonly changes: readonly Change[]
}

const mostChanges = 200
/** How many milliseconds to wait for the rest of a commit before sending its first changes. */
const restOfCommit = 3

/** The changes of a stream, with those of a commit together if they arrive together. */
export async function* wholeCommits(stream: ReadableStream<Change>): AsyncGenerator<CommitPart> {
  const reader = stream.getReader()
  let changes: Change[] = []
  const part = () => {
    const taken = { versionstamp: changes[0]!.versionstamp, changes }
    changes = []
    return taken
  }
  try {
    for (;;) {
      const next = reader.read()
      if (changes.length > 0 && (await Promise.race([next, wait(restOfCommit)])) === undefined) yield part()
      const { done, value: change } = await next
      const isOther = changes.length > 0 && (done || changes[0]!.versionstamp !== change.versionstamp)
      if (isOther || changes.length === mostChanges) yield part()
      if (done) return
      changes.push(change)
    }
  } finally {
    await reader.cancel()
  }
}
