import type { Read } from './driver.ts'

/** The collection whose schema a read relies on; null if it relies on none. */
export function collectionOfRead(read: Read): string | null {
  switch (read.type) {
    case 'scan':
      return read.scan.collection
    case 'salvage':
      return read.salvage.collection
    case 'count':
      return read.collection
    case 'find':
    case 'related':
    case 'figures':
      return read.query.plan.collection
    case 'get':
    case 'getMany':
    case 'exists':
    case 'explain':
      return null
  }
}
