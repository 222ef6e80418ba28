/** How deep objects may nest in a value. The stack suffices for far more. */
export const maxDepth = 500

/** The most decimal digits of a bigint: a hundred thousand take milliseconds to read, millions take seconds. */
export const maxBigIntDigits = 100_000

/** The longest source of a RegExp, in characters, because reading compiles it. */
export const maxRegExpLength = 100_000

/** How many values may be written again because an object occurs more than once, counting everything in it. */
export const maxRepeated = 10_000_000
