/** Begins a name that stands for another one. */
const mark = '\uffff'
/** Names that JSON writes with an escape, and those that would be taken for marked ones. */
const unsafe = /["\\\p{Cc}\p{Cs}\uffff]/u

/**
 * Takes names of fields through a library that copies its JSON Schema by `JSON.parse`, which may mistake a name with an escape for
 * another one: see `parseJson`.
 */
export class KeptNames {
  /** Properties with replaced names: several schemas may share them. */
  readonly #replaced = new Set<unknown>()

  /** Replaces the names of the properties of one schema. */
  replace(schema: Record<string, unknown>): void {
    const { properties = {} } = schema as { readonly properties?: object }
    if (this.#replaced.has(properties) || !Object.keys(properties).some((name) => unsafe.test(name))) return
    const replaced = Object.fromEntries(
      Object.entries(properties).map(([name, value]) => [unsafe.test(name) ? marked(name) : name, value]),
    )
    this.#replaced.add(replaced)
    schema['properties'] = replaced
  }

  /** The whole with its real names. */
  restored<T>(json: T): T {
    return this.#replaced.size > 0 ? (restored(json) as T) : json
  }
}

function restored(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(restored)
  if (typeof json !== 'object' || json === null) return json
  return Object.fromEntries(
    Object.entries(json).map(([name, value]) => [
      name.startsWith(mark) ? unmarked(name) : name,
      restored(value),
    ]),
  )
}

function marked(name: string): string {
  return mark + name.split('').map((unit) => unit.charCodeAt(0))
}

function unmarked(name: string): string {
  return String.fromCharCode(...name.slice(mark.length).split(',').map(Number))
}
