/** Where a name is documented. */
export interface Place {
  readonly page: string
  readonly anchor: string
}

/** Code blocks, code spans, links, and the rest. */
const tokens = /(^```[\s\S]*?^```$|`[^`\n]+`|\[[^\]]*\]\([^)]*\))/m

/** Names with a capital inside, as `ConflictError`, are no words of English: they are linked where prose has them. */
const unmistakable = /\b[A-Z][a-z]*[A-Z0-9]\w*\b/g

/** The links of the reference, by name: `Repository`, `Repository.findMany`. */
export class Links {
  readonly #places: ReadonlyMap<string, Place>
  readonly #page: string

  /** `page`: the one that the links stand on. */
  constructor(places: ReadonlyMap<string, Place>, page: string) {
    this.#places = places
    this.#page = page
  }

  /** A link with this text to what documents a name; undefined if nothing does. */
  to(name: string, text = name): string | undefined {
    const place = this.#places.get(name)
    if (place === undefined) return undefined
    return `[${text}](${place.page === this.#page ? '' : place.page}#${place.anchor})`
  }

  /** The names in a signature that are documented, each linked once. */
  ofSignature(signature: string, self: string): string[] {
    const parameters = /^\w+ \w+<([^>]*)>/.exec(signature)?.[1]?.split(', ') ?? []
    const names = new Set(signature.match(/\b[A-Z]\w+\b/g))
    for (const name of [self, ...parameters]) names.delete(name)
    return [...names].flatMap((name) => this.to(name) ?? [])
  }

  /** Markdown with the names in its prose linked where they come first, except `self`. */
  in(markdown: string, self: string): string {
    const linked = new Set([self])
    const link = (name: string, text: string): string => {
      if (linked.has(name)) return text
      linked.add(name)
      return this.to(name, text) ?? text
    }
    return markdown
      .split(tokens)
      .map((token, index) => {
        if (index % 2 === 0) return token.replace(unmistakable, (name) => link(name, name))
        const [, name] = /^`([\w.]+)`$/.exec(token) ?? []
        return name === undefined ? token : link(name, token)
      })
      .join('')
  }
}
