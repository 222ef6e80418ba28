import type { Attack } from './attack.ts'
import { damage } from './damage.ts'
import { kill } from './kill.ts'

/** Every attack, in the order in which they run. Each has a file of its own. */
export const attacks: readonly Attack[] = [kill, damage]
