// One who comes, writes some lines, and stays until SIGTERM, or until the process that has started it is gone.
import { addLine, openRoom, stayIn } from './room.ts'

const [path, name = 'somebody', lines] = process.argv.slice(2)
const leave = new AbortController()
process.once('SIGTERM', () => leave.abort())
process.once('disconnect', () => leave.abort())
if (process.connected === false) leave.abort()

await using room = await openRoom(path)
const staying = stayIn(room, name, leave.signal)
for (let n = 1; n <= Number(lines); n++) await addLine(room, `${name} writes line ${n}`)
await staying
if (process.connected) process.disconnect()
