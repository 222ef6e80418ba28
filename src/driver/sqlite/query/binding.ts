import { Param, type SQL, sql } from 'drizzle-orm'
import {
  type Operand,
  type OperandType,
  type OperandTypes,
  operandAt,
  type Slot,
} from '../../../query/operand.ts'

import { matchText } from './match-text.ts'

export type Bindable = string | number | bigint | Uint8Array | null

/** What is bound in one place of a statement: made of the operands of a plan, and of the time. */
export class Binding {
  readonly of: (operands: readonly Operand[], now: number) => Bindable

  constructor(of: Binding['of']) {
    this.of = of
  }
}

function bind(of: Binding['of']): SQL {
  return sql`${new Param(new Binding(of))}`
}

/** The time, in milliseconds since the epoch, at which a row must not have expired. */
export const now = bind((_, time) => time)

/** How the operand of each type is bound: a list as JSON, keys in it in hexadecimal. */
const forms: { readonly [Type in OperandType]: (operand: OperandTypes[Type]) => Bindable } = {
  number: bindNumber,
  text: (text) => text,
  bigint: (digits) => digits,
  // A 0 is stored as -0 too, in files of earlier releases as the text of it.
  numbers: (numbers) => JSON.stringify(numbers.includes(0) ? [...numbers, '-0'] : numbers),
  texts: (texts) => JSON.stringify(texts),
  bigints: (bigints) => JSON.stringify(bigints),
  items: (items) => JSON.stringify(items),
  // Bytes come behind all texts.
  end: (text) => text ?? noBytes,
  key: (key) => key,
  keys: (keys) => JSON.stringify(keys.map(hex)),
  count: (count) => count,
  words: matchText,
}

const noBytes = new Uint8Array()

/** The operand in a slot. */
export function bound<Type extends OperandType>(slot: Slot<Type>): SQL {
  const form = forms[slot.type] as (operand: OperandTypes[Type]) => Bindable
  return bind((operands) => form(operandAt(operands, slot)))
}

/** A pattern of `like` as one of GLOB, which tells upper from lower case. */
export function boundGlob(slot: Slot<'text'>): SQL {
  return bind((operands) => globOf(operandAt(operands, slot)))
}

const integers = { least: -(2n ** 63n), greatest: 2n ** 63n - 1n }

/** The digits of a bigint as the integer that SQLite casts them to: the least or the greatest one for what is beyond 64 bits. */
export function boundInteger(slot: Slot<'bigint'>): SQL {
  return bind((operands) => clamp(operandAt(operands, slot)))
}

export function boundIntegers(slot: Slot<'bigints'>): SQL {
  return bind((operands) => `[${operandAt(operands, slot).map(clamp).join()}]`)
}

function clamp(digits: string): bigint {
  const value = BigInt(digits)
  if (value < integers.least) return integers.least
  return value > integers.greatest ? integers.greatest : value
}

/**
 * A whole number beyond 2^53 stands in JSON with the shortest digits that tell it, and SQLite compares those digits: it
 * is bound with them, not with its exact value.
 */
function bindNumber(number: number): Bindable {
  if (Number.isSafeInteger(number) || !Number.isInteger(number)) return number
  return Math.abs(number) < 2 ** 63 ? BigInt(String(number)) : number
}

function globOf(pattern: string): string {
  return pattern.replace(/\\(.)|[%_*?[]/gsu, (mark, escaped?: string) => {
    if (mark === '%') return '*'
    if (mark === '_') return '?'
    const character = escaped ?? mark
    return /[*?[]/.test(character) ? `[${character}]` : character
  })
}

function hex(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('hex')
}
