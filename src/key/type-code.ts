/** The first byte of an encoded part: its type, in the order of types. For an integer it also gives width and sign. */
export const typeCode = {
  bytes: 0x01,
  string: 0x02,
  negativeLong: 0x0b,
  zero: 0x14,
  positiveLong: 0x1d,
  number: 0x21,
  false: 0x26,
  true: 0x27,
} as const
