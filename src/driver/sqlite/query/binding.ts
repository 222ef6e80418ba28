import { type Placeholder, sql } from 'drizzle-orm'
import type { Operand, Slot } from '../../../query/condition.ts'

/** How an operand is bound: a scalar as it is, a list as JSON, a pattern of `like` as one of GLOB. */
export type BindingForm = 'scalar' | 'list' | 'glob'

export type Bindable = string | number | bigint | Uint8Array | null

/** The time, in milliseconds since the epoch, at which a row must not have expired. */
export const nowPlaceholder = sql.placeholder('now')

/** The placeholder of an operand; `bindingOf` reads it back. */
export function bound(slot: Slot, form: BindingForm = 'scalar'): Placeholder {
  return sql.placeholder(`${form} ${slot}`)
}

/** Makes what is bound to a placeholder of the operands and the time. */
export function bindingOf(placeholder: string): (operands: readonly Operand[], now: number) => Bindable {
  if (placeholder === 'now') return (_, now) => now
  const [form, digits] = placeholder.split(' ')
  const slot = Number(digits)
  if (form === 'list') return (operands) => JSON.stringify(operands[slot])
  if (form === 'glob') return (operands) => globOf(operands[slot] as string)
  return (operands) => scalarOf(operands[slot] as Exclude<Operand, readonly unknown[]>)
}

/**
 * A whole number beyond 2^53 stands in JSON with the shortest digits that tell it, and SQLite compares those digits: it
 * is bound with them, not with its exact value.
 */
function scalarOf(operand: Exclude<Operand, readonly unknown[]>): Bindable {
  if (typeof operand !== 'number' || Number.isSafeInteger(operand) || !Number.isInteger(operand))
    return operand
  return Math.abs(operand) < 2 ** 63 ? BigInt(String(operand)) : operand
}

function globOf(pattern: string): string {
  return pattern.replace(/[%_*?[]/g, (mark) => (mark === '%' ? '*' : mark === '_' ? '?' : `[${mark}]`))
}
