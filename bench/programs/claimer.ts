import { type ClaimContender, type ClaimedFile, claimContenders } from '../contenders/claims.ts'
import { serveParent } from '../harness/child.ts'

let file: ClaimedFile

const functions = {
  async open(contender: ClaimContender, dir: string) {
    file = await claimContenders[contender](dir)
  },

  /** Claims jobs until there are none, and gives how many it has claimed. */
  async claimAll(by: string): Promise<number> {
    for (let claimed = 0; ; claimed++) {
      const found = file.claim(by)
      if (!(found instanceof Promise ? await found : found)) return claimed
    }
  },

  close: async () => void (await file.close()),
}

export type Claimer = typeof functions
serveParent(functions)
