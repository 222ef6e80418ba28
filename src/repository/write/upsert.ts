import { checkCallOptions } from '../../arguments/call-options.ts'
import { checkOptionNames } from '../../arguments/option-names.ts'
import type { Key } from '../../contract/key.types.ts'
import { formatVersionstamp } from '../../key/versionstamp.ts'
import type { AnyDefinition } from '../../schema/definition.types.ts'
import type { CommitResult } from '../../store/atomic-operation.types.ts'
import type { ExpireOptions } from '../../store/expiry.ts'
import type { RowEntry, RowStore } from '../../store/row-store.ts'
import type { RowUpdates } from './row-update.ts'
import { checkUpdate, type UntypedUpdate, updateMutation } from './update.ts'
import { judgeWritten, writtenEntry } from './written-entry.ts'

export interface UntypedUpsert {
  readonly create: unknown
  readonly update: UntypedUpdate
}

export interface UntypedUpsertResult extends CommitResult {
  readonly created: boolean
  readonly entry: RowEntry
}

/** Creates a row if there is none, otherwise updates it. */
export async function upsert(
  rows: RowUpdates,
  store: RowStore,
  definition: AnyDefinition,
  key: Key,
  values: UntypedUpsert,
  options: ExpireOptions | undefined,
): Promise<UntypedUpsertResult> {
  checkOptionNames(values, ['create', 'update'], 'upsert')
  if (!('create' in values && 'update' in values))
    throw new TypeError(
      'upsert takes { create, update }: a value, and a patch or a function of the stored one',
    )
  const { create, update } = values
  checkUpdate(update)
  if (options !== undefined) checkCallOptions(options, 'upsert', ['expireIn'])
  const { version, mutation, created } = await rows.write(key, async (row, pause) => {
    const mutation =
      row === null
        ? await store.prepareSet(key, create, options)
        : await updateMutation({ store, definition, key, row }, update, options?.expireIn, pause)
    await judgeWritten(store, definition, [mutation])
    return mutation
  })
  const entry = await writtenEntry(store, definition, mutation, version)
  return { ok: true, versionstamp: formatVersionstamp(version), created, entry }
}
