// Starts a server and prints its address, until somebody kills it.
import { startCluster } from '../cluster.ts'

const { url, folder } = await startCluster()
process.send!({ url, folder })
setInterval(() => {}, 60_000)
