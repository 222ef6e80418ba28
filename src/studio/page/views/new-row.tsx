import { useState } from 'preact/hooks'
import type { Key, KeyPart } from '../../../contract/key.types.ts'
import { messageOf } from '../data/api.ts'
import type { Repository } from '../data/catalog.ts'
import { fieldsOf } from '../data/columns.ts'
import { go, keyName, route } from '../data/route.ts'
import { tell } from '../data/toasts.ts'
import { complaintsOf } from '../data/validate.ts'
import { conflictOf, writeRow } from '../data/write.ts'
import { Editor } from '../parts/editor.tsx'
import { Shell } from '../parts/shell.tsx'
import { parseNotation } from '../value/parse-notation.ts'
import { FieldsForm } from './fields-form.tsx'
import { readDraft } from './row-editor.tsx'

/** A form for a new row. */
export function NewRow({
  repository,
  onClose,
}: {
  readonly repository: Repository | null
  readonly onClose: () => void
}) {
  const hasFields = repository !== null && fieldsOf(repository.schema).size > 0
  const wildcards = repository === null ? [] : repository.pattern.filter((part) => part === '*')
  const [ids, setIds] = useState<readonly string[]>(wildcards.map(() => ''))
  const [keyText, setKeyText] = useState("['', '']")
  const [draft, setDraft] = useState(() => readDraft(hasFields ? '{}' : 'null'))
  const [failure, fail] = useState<string | null>(null)
  const complaints = draft.error === null ? complaintsOf(repository, draft.value) : []
  const insert = async () => {
    try {
      const key = repository === null ? (parseNotation(keyText) as Key) : keyOf(repository, ids)
      const row = await writeRow({ key, value: draft.value, ifVersion: null, expiry: null })
      tell('Inserted')
      go({ ...route.value, row: keyName(row.key) }, true)
    } catch (error) {
      fail(conflictOf(error) === undefined ? messageOf(error) : 'There is already a row under this key')
    }
  }
  return (
    <Shell title={repository === null ? 'New key' : `New row of ${repository.name}`} onClose={onClose}>
      <div class="fields">
        {repository === null && (
          <div class="field">
            <label for="new-key">
              <span class="name">key</span>
              <span class="type">['a', 1, 2n, true]</span>
            </label>
            <textarea
              id="new-key"
              rows={1}
              value={keyText}
              onInput={({ currentTarget }) => setKeyText(currentTarget.value)}
            />
          </div>
        )}
        {ids.map((id, at) => (
          <div key={at} class="field">
            <label for={`new-id-${at}`}>
              <span class="name">{ids.length === 1 ? 'id' : `id ${at + 1}`}</span>
              <span class="type">text; or 7, 7n, true as written</span>
            </label>
            <textarea
              id={`new-id-${at}`}
              rows={1}
              value={id}
              onInput={({ currentTarget }) => setIds(ids.with(at, currentTarget.value))}
            />
          </div>
        ))}
      </div>
      {hasFields ? (
        <FieldsForm
          schema={repository.schema}
          value={draft.value as Record<string, unknown>}
          complaints={[]}
          isReadOnly={false}
          onChange={(value) => setDraft({ text: '', value, error: null })}
        />
      ) : (
        <Editor label="Value" text="null" hasLines onChange={(text) => setDraft(readDraft(text))} />
      )}
      {draft.error !== null && <p class="failure">{draft.error}</p>}
      {failure !== null && (
        <p class="failure" role="alert">
          {failure}
        </p>
      )}
      {complaints.slice(0, 6).map(({ path, message }) => (
        <p key={path.join('.') + message} class="hint">
          <b>{path.join('.')}</b> {message}
        </p>
      ))}
      <div class="save">
        <button
          type="button"
          class="primary"
          disabled={draft.error !== null || complaints.length > 0}
          onClick={() => void insert()}
        >
          Insert
        </button>
      </div>
    </Shell>
  )
}

function keyOf({ pattern }: Repository, ids: readonly string[]): Key {
  const left = [...ids]
  return pattern.map((part) => (part === '*' ? partOf(left.shift()!) : (part as KeyPart)))
}

/** A text, unless it is written like a number, a bigint, a boolean or bytes, or in quotes. */
function partOf(text: string): KeyPart {
  if (!/^(-?[\d_.]+n?|true|false|new Uint8Array\(.*\)|'.*'|".*")$/.test(text)) return text
  try {
    return parseNotation(text) as KeyPart
  } catch {
    return text
  }
}
