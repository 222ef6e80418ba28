import { Param, type SQL, sql } from 'drizzle-orm'
import {
  type Operand,
  type OperandType,
  type OperandTypes,
  operandAt,
  type Slot,
} from '../../../query/operand.ts'
import { storedText } from '../rows/stored-text.ts'
import { matchText } from './match-text.ts'

export type Bindable = string | number | bigint | Uint8Array | null

/** The value bound in one place of a statement, made from the operands of a plan and the time. */
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

/** How to bind an operand of each type: a list as JSON, with keys in hexadecimal. */
const forms: { readonly [Type in OperandType]: (operand: OperandTypes[Type]) => Bindable } = {
  number: bindNumber,
  text: (text) => text,
  bigint: (digits) => digits,
  // Also -0, which files of earlier releases have as a text.
  numbers: (numbers) => JSON.stringify(numbers.includes(0) ? [...numbers, '-0'] : numbers),
  texts: (texts) => JSON.stringify(texts),
  bigints: (bigints) => JSON.stringify(bigints),
  items: (items) => JSON.stringify(items),
  // Bytes come after all texts.
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

/**
 * A text as SQLite reads it from the JSON of a row, which may have lone surrogates: bound as text, they would become other
 * characters. The `+` takes the affinity of the cast away, with which SQLite would compare numbers as texts.
 */
export function boundStoredText(slot: Slot<'text'>): SQL {
  return sql`+CAST(${bind((operands) => storedText(operandAt(operands, slot)))} AS TEXT)`
}

/** A `like` pattern for GLOB, which distinguishes upper and lower case. */
export function boundGlob(slot: Slot<'text'>): SQL {
  return bind((operands) => globOf(operandAt(operands, slot)))
}

const integers = { least: -(2n ** 63n), greatest: 2n ** 63n - 1n }
/** The characters of the longest one, `-9223372036854775808`. */
const longestInteger = 20

/** The digits of a bigint as the integer that SQLite casts them to: the least or greatest one beyond 64 bits. */
export function boundInteger(slot: Slot<'bigint'>): SQL {
  return bind((operands) => clamp(operandAt(operands, slot)))
}

export function boundIntegers(slot: Slot<'bigints'>): SQL {
  return bind((operands) => `[${operandAt(operands, slot).map(clamp).join()}]`)
}

function clamp(digits: string): bigint {
  // A bigint may have a hundred thousand digits, which take milliseconds to read.
  if (digits.length > longestInteger) return digits.startsWith('-') ? integers.least : integers.greatest
  const value = BigInt(digits)
  if (value < integers.least) return integers.least
  return value > integers.greatest ? integers.greatest : value
}

/**
 * JSON writes a whole number beyond 2^53 with its shortest digits, and SQLite compares those, so these digits are bound, and not
 * the exact value.
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
