// Loads the file that `zod-in-one-file.ts` has made in place of Zod.
const { registerHooks } = require('node:module')
const { join } = require('node:path')
const { pathToFileURL } = require('node:url')

const zod = pathToFileURL(join(__dirname, '../node_modules/zod/index.js')).href
const oneFile = pathToFileURL(process.env.VALKEYRIE_ZOD).href

// A Node.js that is too old has none.
registerHooks?.({
  resolve(specifier, context, next) {
    const found = next(specifier, context)
    return found.url === zod ? { ...found, url: oneFile } : found
  },
})
