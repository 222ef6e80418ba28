/** The part of `node:util` that the codec of values needs, for a browser. It only spares the codec a closer look, so it may always say no. */
export const isDeepStrictEqual = (_: unknown, __: unknown): boolean => false
