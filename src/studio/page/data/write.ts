import type { Key } from '../../../contract/key.types.ts'
import { keyJson } from '../../../key/key-json.ts'
import { type Row, type RowJson, rowOf, valueJson } from '../value/wire.ts'
import { ApiError, ask, messageOf } from './api.ts'
import { tell } from './toasts.ts'

/** What to write: under which key, which value, and which version must be there. `null`: none. */
export interface Write {
  readonly key: Key
  readonly value: unknown
  readonly ifVersion: string | null
  /** When it expires, in milliseconds since the epoch; null: never; `'keep'`: as it does. */
  readonly expiry: number | null | 'keep'
}

/** Writes a row; gives it as it is then. Rejects with an ApiError, CONFLICT if another has written it. */
export async function writeRow({ key, value, ifVersion, expiry }: Write): Promise<Row> {
  const row = { key: keyJson(key), ...valueJson(value) }
  const written = await ask<{ row: RowJson }>('write', { row, ifVersion, expiry })
  return rowOf(written.row)
}

/** Deletes a row, and offers to bring it back. Rejects with an ApiError, CONFLICT if another has written it. */
export async function deleteRow({ key, value, versionstamp, expiresAt }: Row): Promise<void> {
  await ask('write', { row: { key: keyJson(key), value: null }, ifVersion: versionstamp, remove: true })
  const undo = async () => {
    await writeRow({ key, value, ifVersion: null, expiry: expiresAt })
    tell('Brought back')
  }
  tell('Deleted', 'done', { label: 'Undo', run: () => void undo().catch(tellFailure) })
}

/** Offers to write what was there before. */
export function offerUndo(text: string, before: Row, now: Row): void {
  const undo = async () => {
    const { key, value, expiresAt } = before
    await writeRow({ key, value, ifVersion: now.versionstamp, expiry: expiresAt })
    tell('As it was before')
  }
  tell(text, 'done', { label: 'Undo', run: () => void undo().catch(tellFailure) })
}

export function tellFailure(error: unknown): void {
  tell(messageOf(error), 'failed')
}

/** The row that another has written, where a write has met it; null: it is gone; undefined: the write has failed for another reason. */
export function conflictOf(error: unknown): Row | null | undefined {
  if (!(error instanceof ApiError) || error.code !== 'CONFLICT') return undefined
  const current = error.facts['current'] as RowJson | null
  return current === null ? null : rowOf(current)
}
