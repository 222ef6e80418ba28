export { compareBytes, compareKeys, compareParts } from './compare.ts'
export { decodeKey } from './decode.ts'
export { encodeKey, encodeParts, encodePrefix, encodeStoredKey } from './encode.ts'
