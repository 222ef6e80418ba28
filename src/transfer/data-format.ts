import { ValueFormat } from '../value/value-format.ts'
import type { ValueType } from '../value/value-type.ts'

/** Reads an instance of any value type, declared or not, as the data that its type has encoded. */
class DataFormat extends ValueFormat {
  override named(name: string): ValueType {
    return { name, encode: (data: unknown) => data, decode: (data: unknown) => data }
  }
}

export const dataFormat: ValueFormat = new DataFormat()
