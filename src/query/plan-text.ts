import { isUint8Array } from 'node:util/types'
import { keyText } from '../key/key-text.ts'
import type { Operand } from './operand.ts'
import type { FindPlan, Planned } from './plan.ts'

/** A plan with its operands as text. Queries that differ only in the order or spelling of their conditions have the same text. */
export function planText({ plan, operands }: Planned<FindPlan>): string {
  const { shape: _, ...parts } = plan
  return textOf(parts, operands)
}

function textOf(part: unknown, operands: readonly Operand[]): string {
  if (Array.isArray(part)) return `[${part.map((item) => textOf(item, operands)).join()}]`
  if (typeof part !== 'object' || part === null) return JSON.stringify(part)
  if (isSlot(part)) return `${part.type}:${operandText(operands[part.at]!)}`
  if (isField(part)) return JSON.stringify(part.path)
  const fields = Object.entries(part).map(
    ([name, value]) => `${name}=${fieldText(part, name, value, operands)}`,
  )
  return `{${fields.sort().join()}}`
}

/** Joined conditions have no order. */
function fieldText(part: object, name: string, value: unknown, operands: readonly Operand[]): string {
  if (name !== 'conditions' || !('type' in part)) return textOf(value, operands)
  const conditions = (value as readonly unknown[]).map((condition) => textOf(condition, operands))
  return `[${conditions.sort().join()}]`
}

/** Neither have lists of operands. */
function operandText(operand: Operand): string {
  return Array.isArray(operand) ? `[${operand.map(scalarText).sort().join()}]` : scalarText(operand)
}

function scalarText(scalar: unknown): string {
  return JSON.stringify(isUint8Array(scalar) ? keyText(scalar) : scalar)
}

const isSlot = (part: object): part is { readonly type: string; readonly at: number } =>
  'at' in part && typeof part.at === 'number'

const isField = (part: object): part is { readonly path: string } => 'path' in part && 'names' in part
