import { readFileSync } from 'node:fs'

/** Where `npm run build` puts the page: two folders above this file, whether it runs from source or from the bundle. */
const folder = new URL('../../dist/studio/', import.meta.url)

const types: { readonly [path: string]: string } = {
  '/': 'text/html; charset=utf-8',
  '/studio.js': 'text/javascript; charset=utf-8',
  '/studio.css': 'text/css; charset=utf-8',
  '/favicon.svg': 'image/svg+xml',
}

/** A file of the page, by the path of its URL; undefined if there is none. */
export function pageFile(path: string): { readonly type: string; readonly content: Buffer } | undefined {
  const type = Object.hasOwn(types, path) ? types[path] : undefined
  if (type === undefined) return undefined
  return { type, content: readFileSync(new URL(path === '/' ? 'index.html' : path.slice(1), folder)) }
}
