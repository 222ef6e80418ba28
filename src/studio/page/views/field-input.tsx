import { useState } from 'preact/hooks'
import { messageOf } from '../data/api.ts'
import { notationOf } from '../value/notation.ts'
import { parseNotation } from '../value/parse-notation.ts'

interface FieldInputProps {
  readonly name: string
  /** Its type according to the schema, in a word. */
  readonly type: string
  /** Undefined: the field is missing. */
  readonly value: unknown
  readonly isWrong: boolean
  readonly isReadOnly: boolean
  readonly onChange: (value: unknown) => void
}

/** One field of a value: text as it is, everything else in TypeScript's notation. */
export function FieldInput({ name, type, value, isWrong, isReadOnly, onChange }: FieldInputProps) {
  const isText = typeof value === 'string' || (value === undefined && type === 'text')
  const [text, setText] = useState(() => shown(value, isText))
  const [error, fail] = useState<string | null>(null)
  const choices = /^'[^']*'( \| '[^']*')+$/.test(type)
    ? type.slice(1, -1).split("' | '")
    : type === 'boolean'
      ? ['true', 'false']
      : null
  const change = (next: string) => {
    setText(next)
    try {
      onChange(isText ? next : next.trim() === '' ? undefined : parseField(next, type))
      fail(null)
    } catch (failure) {
      fail(messageOf(failure))
    }
  }
  const id = `field-${name}`
  return (
    <div class={isWrong || error !== null ? 'field wrong' : 'field'}>
      <label for={id}>
        <span class="name">{name}</span>
        <span class="type">{type}</span>
      </label>
      {choices !== null ? (
        <select
          id={id}
          disabled={isReadOnly}
          value={String(value ?? '')}
          onChange={({ currentTarget: { value: picked } }) =>
            onChange(picked === '' ? undefined : type === 'boolean' ? picked === 'true' : picked)
          }
        >
          <option value="">{value === null ? 'null' : 'none'}</option>
          {choices.map((choice) => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      ) : (
        <textarea
          id={id}
          class={isText ? 'plain' : ''}
          rows={Math.min(8, Math.max(1, text.split('\n').length, Math.ceil(text.length / 48)))}
          value={text}
          readOnly={isReadOnly}
          spellcheck={false}
          placeholder={value === undefined ? 'none' : ''}
          aria-invalid={isWrong || error !== null}
          onInput={({ currentTarget }) => change(currentTarget.value)}
        />
      )}
      {!isReadOnly && value !== undefined && choices === null && (
        <button
          type="button"
          class="quiet clear"
          aria-label={`Remove ${name}`}
          onClick={() => {
            setText('')
            fail(null)
            onChange(undefined)
          }}
        >
          ✕
        </button>
      )}
      {error !== null && <p class="failure">{error}</p>}
    </div>
  )
}

function shown(value: unknown, isText: boolean): string {
  if (value === undefined) return ''
  if (isText) return value as string
  return value instanceof Date && !Number.isNaN(value.getTime())
    ? value.toISOString()
    : notationOf(value, { lines: true })
}

function parseField(text: string, type: string): unknown {
  const written = text.trim()
  if (type === 'Date' && !written.startsWith('new ') && written !== 'null') {
    const date = new Date(written)
    if (Number.isNaN(date.getTime()))
      throw new TypeError(`${written} is not a date such as 2026-01-31T12:00:00Z`)
    return date
  }
  if (type === 'bigint' && /^-?\d+$/.test(written)) return BigInt(written)
  return parseNotation(written)
}
