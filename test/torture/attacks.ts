import type { Attack } from './attack.ts'
import { clockJumps } from './clock-jumps.ts'
import { crashStates } from './crash-states.ts'
import { cycles } from './cycles.ts'
import { damage } from './damage.ts'
import { ioFaults } from './io-faults.ts'
import { kill } from './kill.ts'
import { lostWrites } from './lost-writes.ts'
import { queueKills } from './queue-kills.ts'
import { serverSoaks } from './server-soaks.ts'
import { soak } from './soak.ts'
import { stoppedHolder } from './stopped-holder.ts'

/** Every attack that the tests run too, in their order. */
export const attacks: readonly Attack[] = [
  kill,
  stoppedHolder,
  crashStates,
  lostWrites,
  ioFaults,
  clockJumps,
  damage,
  cycles,
  queueKills,
  soak,
  ...serverSoaks,
]
