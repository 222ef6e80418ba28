/** A part of a query as it was read, before it is known what its names mean. */
export type Syntax = ObjectSyntax | ListSyntax | OperandSyntax

export interface ObjectSyntax {
  readonly type: 'object'
  readonly entries: readonly (readonly [name: string, part: Syntax])[]
}

/** An array of objects, as `AND` and `OR` take it. */
export interface ListSyntax {
  readonly type: 'list'
  readonly items: readonly Syntax[]
}

/** A scalar, or an array of them: at `leaf` of the query's leaves. */
export interface OperandSyntax {
  readonly type: 'operand'
  readonly value: unknown
  readonly leaf: number
}
