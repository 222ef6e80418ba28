/** Whether a process of this id runs, as far as it can be seen from here. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // One of another user may not be signalled, but is there.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
