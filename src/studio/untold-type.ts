import { ValueFormat } from '../value/value-format.ts'
import type { ValueType } from '../value/value-type.ts'

/** An instance of a class that only the application knows: the name of its value type, and the encoded data. */
export class Untold {
  readonly type: string
  readonly data: unknown

  constructor(type: string, data: unknown) {
    this.type = type
    this.data = data
  }
}

/** Reads the instances of every value type as `Untold`, and writes them back unchanged. */
class UntoldFormat extends ValueFormat {
  override find(value: object): ValueType | undefined {
    return value instanceof Untold ? this.named(value.type) : undefined
  }

  override named(name: string): ValueType {
    return { name, encode: ({ data }: Untold) => data, decode: (data: unknown) => new Untold(name, data) }
  }
}

/** The format of a database without its application. */
export const untoldFormat: ValueFormat = new UntoldFormat()
