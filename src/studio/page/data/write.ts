import type { Key } from '../../../contract/key.types.ts'
import { keyJson } from '../../../key/key-json.ts'
import { type Row, type RowJson, rowOf, valueJson } from '../value/wire.ts'
import { ApiError, ask, messageOf } from './api.ts'
import { tell } from './toasts.ts'

/** What to write: key, value, and the version that must be there; `null`: no row must be there. */
export interface Write {
  readonly key: Key
  readonly value: unknown
  readonly ifVersion: string | null
  /** When it expires, in milliseconds since the epoch; null: never; `'keep'`: as before. */
  readonly expiry: number | null | 'keep'
}

/** Writes a row; returns the new row. Rejects with an ApiError, with code CONFLICT if somebody else has written it. */
export async function writeRow({ key, value, ifVersion, expiry }: Write): Promise<Row> {
  const row = { key: keyJson(key), ...valueJson(value) }
  const written = await ask<{ row: RowJson }>('write', { row, ifVersion, expiry })
  return rowOf(written.row)
}

/** Deletes a row, and offers to restore it. Rejects with an ApiError, with code CONFLICT if somebody else has written it. */
export async function deleteRow({ key, value, versionstamp, expiresAt }: Row): Promise<void> {
  await ask('write', { row: { key: keyJson(key), value: null }, ifVersion: versionstamp, remove: true })
  const undo = async () => {
    await writeRow({ key, value, ifVersion: null, expiry: expiresAt })
    tell('Brought back')
  }
  tell('Deleted', 'done', { label: 'Undo', run: () => void undo().catch(tellFailure) })
}

/** Offers to restore the row that was there before. */
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

/** The conflicting row, if a write met one; null: the row is gone; undefined: the write failed for another reason. */
export function conflictOf(error: unknown): Row | null | undefined {
  if (!(error instanceof ApiError) || error.code !== 'CONFLICT') return undefined
  const current = error.facts['current'] as RowJson | null
  return current === null ? null : rowOf(current)
}
