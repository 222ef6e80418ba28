import { randomBytes } from 'node:crypto'
import { addressInSchema } from './engine-of-project.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** Gives addresses of databases that several can open, on the engine of the project: a new one with each call, the same one for a name. */
export function sharedAddresses(): (name?: string) => string {
  const path = temporaryFolder()
  const own = randomBytes(8).toString('hex')
  let count = 0
  return (name = `${count++}.db`) => addressInSchema(`${own}_${name.replace(/\W/g, '_')}`) ?? path(name)
}
