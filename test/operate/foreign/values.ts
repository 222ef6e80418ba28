/** Values of every type that the other stores take, by name. */
export const values: Record<string, unknown> = {
  text: 'text',
  colon: ':text',
  number: 1.5,
  minusZero: -0,
  nan: Number.NaN,
  infinity: Number.NEGATIVE_INFINITY,
  bigint: 123n,
  hugeBigint: -(2n ** 100n),
  true: true,
  null: null,
  undefined,
  date: new Date(0),
  map: new Map([['a', 1n]]),
  set: new Set([1]),
  regexp: /a+/gi,
  bytes: new Uint8Array([0, 255]),
  buffer: new Uint8Array([9]).buffer,
  uint16: new Uint16Array([1, 2]),
  view: new DataView(new ArrayBuffer(2)),
  object: { a: { b: [undefined, 1] }, u: undefined },
  error: new TypeError('wrong'),
  boxed: Object(1),
  sparse: Object.assign([1], { 2: 3 }),
  circle: circle(),
}

function circle(): object {
  const object: Record<string, unknown> = { n: 1 }
  object['self'] = object
  return object
}

/** Keys with parts of every kind; the last part is `1` under each. */
export const keys: (string | number | bigint | boolean | Uint8Array)[][] = [
  [new Uint8Array([0, 255, 1])],
  [new Uint8Array([7, 8])],
  ['a\0b'],
  ['é😀'],
  [1],
  [-1.5],
  [0],
  [Number.NaN],
  [Number.POSITIVE_INFINITY],
  [1n],
  [-1n],
  [0n],
  [2n ** 64n - 1n],
  [2n ** 64n],
  [-(2n ** 200n)],
  [true],
  [false],
  ['a', 'b', 1n, true],
]

/** When the rows that expire do, in milliseconds since the epoch: in the year 2100. */
export const expiresAt = Date.UTC(2100, 0)
