import { QueryError } from '../errors.ts'
import type { Operand } from './condition.ts'
import { kindOf } from './shape.ts'

/** How a slot is filled from the leaf of a query at `leaf`. */
export interface SlotSource {
  readonly leaf: number
  readonly as: 'scalar' | 'pattern' | 'numbers' | 'strings' | 'items' | 'given'
  /** The operator or option, for messages. */
  readonly of: string
}

const longestPattern = 10_000

/** The operands of a query, from its leaves. */
export function fillSlots(sources: readonly SlotSource[], leaves: readonly unknown[]): Operand[] {
  const operands = new Array<Operand>(sources.length)
  for (let slot = 0; slot < sources.length; slot++) {
    const source = sources[slot]!
    operands[slot] = fillSlot(source, leaves[source.leaf])
  }
  return operands
}

/** The operand of one slot, from its leaf. Throws a QueryError for one that cannot be compared. */
export function fillSlot({ as, of }: SlotSource, value: unknown): Operand {
  switch (as) {
    case 'scalar':
      return toScalar(value, of)
    case 'pattern':
      return toPattern(value, of)
    case 'numbers':
      return (value as unknown[]).filter((item) => typeof item === 'number').map((item) => toScalar(item, of))
    case 'strings':
      return (value as unknown[])
        .filter((item) => 'sid'.includes(kindOf(item)))
        .map((item) => toScalar(item, of))
    case 'items':
      return (Array.isArray(value) ? value : [value]).map((item) =>
        typeof item === 'boolean' ? item : toScalar(item, of),
      )
    case 'given':
      return value as Operand
  }
}

function toScalar(value: unknown, of: string): string | number {
  if (typeof value === 'string') {
    if (!value.isWellFormed())
      throw new QueryError(`${of} is given a text with a lone surrogate, which cannot be compared`)
    return value
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value))
      throw new QueryError(`${of} is given ${value}, which no stored number equals`)
    return value === 0 ? 0 : value
  }
  if (typeof value === 'bigint') return String(value)
  const time = value as Date
  if (Number.isNaN(time.getTime())) throw new QueryError(`${of} is given an invalid Date`)
  return time.toISOString()
}

function toPattern(value: unknown, of: string): string {
  const pattern = toScalar(value, of) as string
  if (pattern.length <= longestPattern) return pattern
  throw new QueryError(`The pattern of ${of} is longer than ${longestPattern} characters`)
}
