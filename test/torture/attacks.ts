import type { Attack } from './attack.ts'
import { clockJumps } from './clock-jumps.ts'
import { crashStates } from './crash-states.ts'
import { damage } from './damage.ts'
import { kill } from './kill.ts'
import { stoppedHolder } from './stopped-holder.ts'

/** Every attack, in the order in which they run. Each has a file of its own. */
export const attacks: readonly Attack[] = [kill, stoppedHolder, crashStates, clockJumps, damage]
