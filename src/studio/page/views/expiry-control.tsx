import { readOnly } from '../data/catalog.ts'
import { offerUndo, tellFailure, writeRow } from '../data/write.ts'
import { Countdown } from '../parts/countdown.tsx'
import type { Row } from '../value/wire.ts'

const choices: readonly (readonly [label: string, milliseconds: number | null])[] = [
  ['never', null],
  ['in a minute', 60_000],
  ['in an hour', 3_600_000],
  ['in a day', 86_400_000],
  ['in a week', 7 * 86_400_000],
]

/** Shows and changes when a row expires. */
export function ExpiryControl({
  row,
  onWritten,
}: {
  readonly row: Row
  readonly onWritten: (row: Row) => void
}) {
  const touch = async (milliseconds: number | null) => {
    const { key, value, versionstamp: ifVersion } = row
    const expiry = milliseconds === null ? null : Date.now() + milliseconds
    const now = await writeRow({ key, value, ifVersion, expiry })
    onWritten(now)
    offerUndo('Its expiry has changed', row, now)
  }
  return (
    <>
      {row.expiresAt === null ? 'never' : <Countdown to={row.expiresAt} />}
      {!readOnly.value && (
        <select
          aria-label="Let it expire"
          value=""
          onChange={({ currentTarget }) => {
            const choice = choices[Number(currentTarget.value)]
            currentTarget.value = ''
            if (choice !== undefined) void touch(choice[1]).catch(tellFailure)
          }}
        >
          <option value="">change…</option>
          {choices.map(([label], at) => (
            <option key={label} value={at}>
              {label}
            </option>
          ))}
        </select>
      )}
    </>
  )
}
