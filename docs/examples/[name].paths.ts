import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'

const folder = new URL('../../examples/', import.meta.url)

/** A page for each example, with its source. */
export default {
  paths() {
    const files = readdirSync(folder).filter((name) => name.endsWith('.ts'))
    return files.map((file) => ({
      params: { name: basename(file, '.ts') },
      content: `\`\`\`ts\n${readFileSync(new URL(file, folder), 'utf8')}\`\`\``,
    }))
  },
}
