const normalizer =
  /^(?:function\s*\w*\s*)?\(?\s*(\w+)\s*\)?\s*(?:=>\s*|\{\s*return\s+)\1\.(trim|trimStart|trimEnd|toLowerCase|toUpperCase|normalize)\((\w*)\);?\s*\}?$/

/**
 * The method of a text that a function calls, and nothing else, by the source of the function: `s => s.trim()`. What it gives it
 * leaves as it is. `null` for every other function: what that does to its own results nobody can tell.
 */
export function normalizerOf(transform: unknown): string | null {
  return typeof transform === 'function' ? (normalizer.exec(String(transform))?.[2] ?? null) : null
}

/** Whether normalizers, one after the other, leave what they give as it is. Normalized text may begin with a space that was none. */
export function areIdempotent(methods: readonly (string | null)[]): boolean {
  return !methods.includes(null) && (methods.length < 2 || !methods.includes('normalize'))
}
