import { ValueFormat } from '../value/value-format.ts'
import type { ValueType } from '../value/value-type.ts'

/** Gives of each value type, also of one that nobody has declared, the data that it has encoded. */
class DataFormat extends ValueFormat {
  override named(name: string): ValueType {
    return { name, encode: (data: unknown) => data, decode: (data: unknown) => data }
  }
}

export const dataFormat: ValueFormat = new DataFormat()
