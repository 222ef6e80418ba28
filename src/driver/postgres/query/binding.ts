import { Param, type SQL, sql } from 'drizzle-orm'
import {
  type Operand,
  type OperandType,
  type OperandTypes,
  operandAt,
  type Slot,
} from '../../../query/operand.ts'
import type { ShownRow } from '../../driver.ts'
import { byteas, texts } from '../values/binary-array.ts'
import { behindAllTexts, escapeJson, escapeText } from '../values/json-text.ts'

export type Bindable = string | number | boolean | Uint8Array

/** The value bound in one place of a statement, made from the operands of a plan and the rows that a session was shown. */
export class Binding {
  readonly of: (operands: readonly Operand[], shown: readonly ShownRow[]) => Bindable

  constructor(of: Binding['of']) {
    this.of = of
  }
}

/** A placeholder whose value is made from the operands, with its type on the server. */
export function bind(of: (operands: readonly Operand[]) => Bindable, type: string): SQL {
  return sql`${new Param(new Binding(of))}::${sql.raw(type)}`
}

/** A placeholder whose value is made from the rows that a session was shown. */
export function bindShown(of: (shown: readonly ShownRow[]) => Bindable, type: string): SQL {
  return sql`${new Param(new Binding((_, shown) => of(shown)))}::${sql.raw(type)}`
}

interface Form<T> {
  readonly type: string
  readonly of: (operand: T) => Bindable
}

/** What is bound as it is; the words of a search are bound as what their search makes of them. */
type BoundType = Exclude<OperandType, 'words'>

/** How to bind an operand of each type. */
const forms: { readonly [Type in BoundType]: Form<OperandTypes[Type]> } = {
  number: { type: 'float8', of: (number) => number },
  text: { type: 'text', of: escapeText },
  bigint: { type: 'numeric', of: (digits) => digits },
  numbers: { type: 'float8[]', of: (numbers) => `{${numbers.join()}}` },
  texts: { type: 'text[]', of: (all) => texts(all.map(escapeText)) },
  bigints: { type: 'numeric[]', of: (bigints) => `{${bigints.join()}}` },
  items: { type: 'json', of: jsonOf },
  end: { type: 'text', of: (text) => (text === null ? behindAllTexts : escapeText(text)) },
  key: { type: 'bytea', of: (key) => key },
  keys: { type: 'bytea[]', of: byteas },
  count: { type: 'bigint', of: (count) => count },
}

function jsonOf(value: readonly unknown[]): string {
  return escapeJson(JSON.stringify(value))
}

/** The operand in a slot. */
export function bound<Type extends BoundType>(slot: Slot<Type>): SQL {
  const { of, type } = forms[slot.type] as Form<OperandTypes[Type]>
  return bind((operands) => of(operandAt(operands, slot)), type)
}

/** The digits of a bigint as text, or of several. */
export function boundDigits(slot: Slot<'bigint'> | Slot<'bigints'>): SQL {
  return slot.type === 'bigint'
    ? bind((operands) => operandAt(operands, slot), 'text')
    : bind((operands) => texts(operandAt(operands, slot)), 'text[]')
}

/** The digits of bigints, as items of an array. */
export function boundItems(slot: Slot<'items'> | Slot<'bigints'>): SQL {
  return bind((operands) => jsonOf(operandAt(operands, slot as Slot) as readonly unknown[]), 'json')
}
