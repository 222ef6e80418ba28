/**
 * The extended calendar form of ISO 8601, as in RFC 3339 and ECMAScript; the year has four digits, or a sign and six. A date
 * without a time is midnight in UTC, as in ECMAScript.
 */
const form =
  /^(?<year>\d{4}|[+-]\d{6})-(?<month>\d\d)-(?<day>\d\d)(?:[Tt](?<hour>\d\d):(?<minute>\d\d)(?::(?<second>\d\d)(?:[.,](?<fraction>\d+))?)?(?<offset>[Zz]|[+-]\d\d(?::?\d\d)?))?$/

/**
 * How to round an instant between two milliseconds: to the one before, to the one after, or, with `none`, to a text that equals no
 * instant.
 */
export type Rounding = 'down' | 'up' | 'none'

/**
 * The stored text of the Date that this text describes; `null` if it describes none.
 *
 * @example
 * instantText('2024-01-01T01:00:00+01:00', 'none')   // '2024-01-01T00:00:00.000Z'
 */
export function instantText(text: string, rounding: Rounding): string | null {
  const parts = form.exec(text)?.groups
  if (parts === undefined || parts['year'] === '-000000') return null
  const number = (name: string) => Number(parts[name] ?? 0)
  const [year, month, day] = [number('year'), number('month'), number('day')]
  const [hour, minute, second] = [number('hour'), number('minute'), number('second')]
  const isMidnight = hour === 24 && minute === 0 && second === 0 && /^0*$/.test(parts['fraction'] ?? '')
  if ((hour > 23 && !isMidnight) || minute > 59 || second > 59) return null
  const offset = offsetMinutes(parts['offset'] ?? 'Z')
  if (offset === null) return null
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null
  const fraction = parts['fraction'] ?? ''
  const beyond = fraction.slice(3)
  const isBetween = /[1-9]/.test(beyond)
  date.setUTCHours(hour, minute - offset, second, Number(fraction.slice(0, 3).padEnd(3, '0')))
  if (isBetween && rounding === 'up') date.setTime(date.getTime() + 1)
  if (Number.isNaN(date.getTime())) return null
  const stored = date.toISOString()
  return isBetween && rounding === 'none' ? stored.replace('Z', `${beyond}Z`) : stored
}

/** How far a local time is ahead of UTC; `null` for an impossible offset. */
function offsetMinutes(text: string): number | null {
  if (text === 'Z' || text === 'z') return 0
  const [hours, minutes] = [Number(text.slice(1, 3)), Number(text.slice(-2))]
  const known = text.length > 3 ? minutes : 0
  if (hours > 23 || known > 59) return null
  return (text[0] === '-' ? -1 : 1) * (hours * 60 + known)
}
