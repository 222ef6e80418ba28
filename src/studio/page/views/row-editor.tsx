import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { messageOf } from '../data/api.ts'
import { type Repository, readOnly } from '../data/catalog.ts'
import { isFields } from '../data/columns.ts'
import { complaintsOf } from '../data/validate.ts'
import { conflictOf, offerUndo, writeRow } from '../data/write.ts'
import { Editor } from '../parts/editor.tsx'
import { notationOf } from '../value/notation.ts'
import { parseNotation } from '../value/parse-notation.ts'
import { jsonText, type Row, valueJson } from '../value/wire.ts'
import { ConflictBox } from './conflict-box.tsx'
import { FieldsForm } from './fields-form.tsx'

interface RowEditorProps {
  readonly repository: Repository | null
  readonly row: Row
  readonly onWritten: (row: Row) => void
}

/** The value of a row, as a form or as text, to edit and save. It starts from one version, and only replaces that version. */
export function RowEditor({ repository, row, onWritten }: RowEditorProps) {
  const [base, setBase] = useState(row)
  const [draft, setDraft] = useState<Draft>(() => draftOf(row.value))
  const [theirs, setTheirs] = useState<Row | null | undefined>(undefined)
  const [failure, fail] = useState<string | null>(null)
  const [isText, showText] = useState(!isFields(row.value))
  const isDirty = draft.text !== notationOf(base.value, { lines: true })
  const [beginnings, setBeginnings] = useState(0)
  const start = useMemo(() => draft.text, [beginnings, isText])
  const place = useRef<HTMLDivElement>(null)
  const focused = useRef<string | undefined>(undefined)
  const begin = (from: Row) => {
    const { activeElement } = document
    if (place.current?.contains(activeElement)) focused.current = activeElement!.id
    setBeginnings((n) => n + 1)
    setBase(from)
    setDraft(draftOf(from.value))
    setTheirs(undefined)
    fail(null)
  }
  useEffect(() => {
    if (row.versionstamp === base.versionstamp) return
    // Unedited values follow the database. Edited ones are kept, with the other version beside them.
    if (isDirty) setTheirs(row)
    else begin(row)
  }, [row.versionstamp])

  // All fields are replaced; the one that had the focus gets it back.
  useLayoutEffect(() => {
    if (focused.current) document.getElementById(focused.current)?.focus()
    focused.current = undefined
  }, [beginnings])

  const isExact = useMemo(() => readsBack(base.value), [base])
  const complaints = draft.error === null && isDirty ? complaintsOf(repository, draft.value) : []
  const save = async (ifVersion: string | null) => {
    try {
      const expiry = ifVersion === null ? base.expiresAt : 'keep'
      const now = await writeRow({ key: base.key, value: draft.value, ifVersion, expiry })
      offerUndo('Saved', theirs ?? base, now)
      begin(now)
      onWritten(now)
    } catch (error) {
      const current = conflictOf(error)
      if (current === undefined) fail(messageOf(error))
      else setTheirs(current)
    }
  }
  const canSave = isDirty && draft.error === null && complaints.length === 0
  const locked = readOnly.value || !isExact
  return (
    <div class="row-editor" ref={place}>
      <div class="modes" role="group" aria-label="Shown as">
        <button
          type="button"
          aria-pressed={!isText}
          disabled={!isFields(draft.value)}
          onClick={() => showText(false)}
        >
          Form
        </button>
        <button type="button" aria-pressed={isText} onClick={() => showText(true)}>
          Text
        </button>
      </div>
      {theirs !== undefined && (
        <ConflictBox
          mine={draft.value}
          theirs={theirs}
          onKeep={() => void save(theirs?.versionstamp ?? null)}
          onTake={() => (theirs === null ? setTheirs(undefined) : begin(theirs))}
        />
      )}
      {isText || !isFields(draft.value) ? (
        <Editor
          label="Value"
          beginning={beginnings}
          text={start}
          hasLines
          isReadOnly={locked}
          onChange={(text) => setDraft(readDraft(text))}
          onSubmit={() => void (canSave && save(base.versionstamp))}
        />
      ) : (
        <FieldsForm
          key={beginnings}
          schema={repository?.schema ?? null}
          value={draft.value}
          complaints={complaints}
          isReadOnly={locked}
          onChange={(value) => setDraft(draftOf(value))}
        />
      )}
      {!isExact && <p class="hint">This value is shown only: no text would be read back as it is.</p>}
      {draft.error !== null && <p class="failure">{draft.error}</p>}
      {complaints.map(({ path, message }) => (
        <p key={path.join('.') + message} class="failure">
          {path.length > 0 && <b>{path.join('.')} </b>}
          {message}
        </p>
      ))}
      {failure !== null && (
        <p class="failure" role="alert">
          {failure}
        </p>
      )}
      {!locked && isDirty && (
        <div class="save">
          <button
            type="button"
            class="primary"
            disabled={!canSave}
            onClick={() => void save(base.versionstamp)}
          >
            Save
          </button>
          <button type="button" onClick={() => begin(row)}>
            Discard
          </button>
        </div>
      )}
    </div>
  )
}

/** The edits so far: their text, and its value, or why it has none. */
interface Draft {
  readonly text: string
  readonly value: unknown
  readonly error: string | null
}

function draftOf(value: unknown): Draft {
  return { text: notationOf(value, { lines: true }), value, error: null }
}

export function readDraft(text: string): Draft {
  try {
    const value = parseNotation(text)
    valueJson(value)
    return { text, value, error: null }
  } catch (error) {
    return { text, value: undefined, error: messageOf(error) }
  }
}

/** Whether the text of a value parses back to the same value. */
function readsBack(value: unknown): boolean {
  try {
    const read = parseNotation(notationOf(value, { lines: true }))
    return jsonText(valueJson(read)) === jsonText(valueJson(value))
  } catch {
    return false
  }
}
