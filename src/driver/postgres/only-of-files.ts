import { StorageError } from '../../contract/errors.ts'
import { shownAddress } from './server/address.ts'

/** The server's own tools for these tasks. */
const instead = {
  repair: 'restore it from a backup of the server',
  backup: 'use pg_dump, or the backups of the server',
  restore: 'use pg_restore, or the backups of the server',
}

/** Rejects a call that only works on files. */
export async function onlyOfFiles(address: string, call: keyof typeof instead): Promise<never> {
  throw new StorageError('0A000', `${call} works on files, not on ${shownAddress(address)}: ${instead[call]}`)
}
