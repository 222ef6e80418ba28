/** How many names a path to a field has at most. */
export const deepestField = 32

const longestName = 200

/** Names that stand in a JSON path without being escaped; a dot would lead into another object. */
const safeName = /^[^."'`\\[\](){}\p{Cc}\p{Cs}\u2028\u2029]+$/u

/** Whether a field of a query may have this name: where no schema tells the names, anything else of a program's input is refused. */
export function isFieldName(name: string): boolean {
  return name.length <= longestName && safeName.test(name) && name !== '__proto__'
}
