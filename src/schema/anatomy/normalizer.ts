const normalizer =
  /^(?:function\s*\w*\s*)?\(?\s*(\w+)\s*\)?\s*(?:=>\s*|\{\s*return\s+)\1\.(trim|trimStart|trimEnd|toLowerCase|toUpperCase|normalize)\((\w*)\);?\s*\}?$/

/**
 * If a function only calls one method of a text, the name of that method, taken from the source of the function: `s => s.trim()`.
 * Such a function leaves its own results unchanged. `null` for every other function: nobody can know what it does to its results.
 */
export function normalizerOf(transform: unknown): string | null {
  return typeof transform === 'function' ? (normalizer.exec(String(transform))?.[2] ?? null) : null
}

/**
 * Whether these methods, called one after the other, leave their own results unchanged. Normalizing may put a space at the start of
 * a text.
 */
export function areIdempotent(methods: readonly (string | null)[]): boolean {
  return !methods.includes(null) && (methods.length < 2 || !methods.includes('normalize'))
}
