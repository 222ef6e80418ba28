import type { SearchWords } from './search-words.ts'

/** The types of operands. */
export interface OperandTypes {
  /** Finite, and not -0. */
  number: number
  text: string
  /** The stored digits of a bigint. */
  bigint: string
  numbers: readonly number[]
  texts: readonly string[]
  bigints: readonly string[]
  items: readonly (string | number | boolean)[]
  /** The end of a range of texts, exclusive; `null`: the range has no end. */
  end: string | null
  /** An encoded key. */
  key: Uint8Array
  keys: readonly Uint8Array[]
  /** A limit or an offset. */
  count: number
  words: SearchWords
}

export type OperandType = keyof OperandTypes

export type Operand = OperandTypes[OperandType]

/** The place of an operand. Queries that differ only in their operands share a plan. */
export interface Slot<Type extends OperandType = OperandType> {
  readonly type: Type
  readonly at: number
}

/** How to make an operand from a leaf of a query. */
export interface SlotSource {
  readonly leaf: number
  readonly read: (leaf: unknown) => Operand
}

/** The slots of a plan, and where their operands come from. */
export class Slots {
  readonly sources: SlotSource[] = []

  /** A new slot. `read` throws a QueryError for an invalid operand. */
  add<Type extends OperandType>(
    type: Type,
    leaf: number,
    read: (leaf: unknown) => OperandTypes[Type],
  ): Slot<Type> {
    return { type, at: this.sources.push({ leaf, read }) - 1 }
  }
}

/** The operand in a slot. */
export function operandAt<Type extends OperandType>(
  operands: readonly Operand[],
  slot: Slot<Type>,
): OperandTypes[Type] {
  return operands[slot.at] as OperandTypes[Type]
}

/** The operands of a query, from its leaves. */
export function fillSlots(sources: readonly SlotSource[], leaves: readonly unknown[]): Operand[] {
  const operands = new Array<Operand>(sources.length)
  for (let slot = 0; slot < sources.length; slot++) {
    const { leaf, read } = sources[slot]!
    operands[slot] = read(leaves[leaf])
  }
  return operands
}
