/** How many objects a value may nest in each other. The recursion that stores a value is safe on the stack far beyond it. */
export const maxDepth = 500

/** The most decimal digits of a bigint: one of a hundred thousand is read in milliseconds, one of millions in seconds. */
export const maxBigIntDigits = 100_000

/** The most characters of the source of a RegExp, which is compiled when it is read. */
export const maxRegExpLength = 100_000

/** How often objects that occur more than once in a value may be written again, all they hold counted. */
export const maxRepeated = 10_000_000
