import { inspect } from 'node:util'
import type { Key } from '../contract/key.types.ts'
import { keyJson } from '../key/key-json.ts'
import { encodeValue } from '../value/codec.ts'
import type { MovedRow } from './row-line.ts'
import type { UnreadRow } from './source-row.ts'

/** How to read a row of another program's file. Each function may throw what is wrong with the row. */
export interface ForeignRow {
  readonly key: () => Key
  /** Its key in the file, to show if it cannot be read. */
  readonly rawKey: string
  readonly value: () => unknown
  readonly expiresAt: number | null
}

/** The row to store for a row of another program. If it cannot be stored, shows it with the reason. */
export function movedForeign({ key, rawKey, value, expiresAt }: ForeignRow): MovedRow | UnreadRow {
  let read: Key
  try {
    read = key()
  } catch (error) {
    return {
      error: `its key cannot be used, ${messageOf(error)}`,
      shown: { unreadKey: rawKey, unread: shownValue(value) },
    }
  }
  try {
    return { key: read, stored: encodeValue(value()), expiresAt }
  } catch (error) {
    const expiry = expiresAt === null ? {} : { expiresAt }
    return { error: messageOf(error), shown: { key: keyJson(read), unread: shownValue(value), ...expiry } }
  }
}

function shownValue(value: () => unknown): string {
  try {
    return inspect(value(), { depth: 10, maxStringLength: 10_000, breakLength: Number.POSITIVE_INFINITY })
  } catch (error) {
    return messageOf(error)
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
