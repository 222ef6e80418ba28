import { isFields } from '../data/columns.ts'
import { ValueText } from '../parts/value-text.tsx'
import { notationOf } from '../value/notation.ts'
import type { Row } from '../value/wire.ts'

interface ConflictBoxProps {
  readonly mine: unknown
  /** Null: the row is gone. */
  readonly theirs: Row | null
  readonly onKeep: () => void
  readonly onTake: () => void
}

/** Two versions of a row that somebody else has written while it was being edited here. */
export function ConflictBox({ mine, theirs, onKeep, onTake }: ConflictBoxProps) {
  return (
    <section class="conflict" role="alert" aria-label="Conflict">
      <p>
        {theirs === null
          ? 'Somebody else has deleted this row since you read it.'
          : 'Somebody else has written this row since you read it.'}
      </p>
      {theirs !== null && <Versions mine={mine} theirs={theirs.value} />}
      <div class="save">
        <button type="button" class="primary" onClick={onKeep}>
          Write mine
        </button>
        <button type="button" onClick={onTake}>
          Take theirs
        </button>
      </div>
    </section>
  )
}

function Versions({ mine, theirs }: { readonly mine: unknown; readonly theirs: unknown }) {
  const names =
    isFields(mine) && isFields(theirs) ? [...new Set([...Object.keys(mine), ...Object.keys(theirs)])] : null
  const lines: readonly (readonly [string, unknown, unknown])[] =
    names === null
      ? [['value', mine, theirs]]
      : names.map((name) => [
          name,
          (mine as Record<string, unknown>)[name],
          (theirs as Record<string, unknown>)[name],
        ])
  const differing = lines.filter(([, a, b]) => notationOf(a) !== notationOf(b))
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Field</th>
          <th scope="col">Mine</th>
          <th scope="col">Theirs</th>
        </tr>
      </thead>
      <tbody>
        {differing.map(([name, a, b]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>
              <ValueText value={a} />
            </td>
            <td>
              <ValueText value={b} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
