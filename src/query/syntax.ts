/** A parsed part of a query, before its names have a meaning. */
export type Syntax = ObjectSyntax | ListSyntax | OperandSyntax

export interface ObjectSyntax {
  readonly type: 'object'
  readonly entries: readonly (readonly [name: string, part: Syntax])[]
}

/** An array of objects, as in `AND` and `OR`. */
export interface ListSyntax {
  readonly type: 'list'
  readonly items: readonly Syntax[]
}

/** A scalar, or an array of scalars: the leaf `leaf` of the query. */
export interface OperandSyntax {
  readonly type: 'operand'
  readonly value: unknown
  readonly leaf: number
}
