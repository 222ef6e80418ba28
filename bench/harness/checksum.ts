/** A number for some whole numbers and their order: comparing it costs no memory while the clock runs. */
export function checksum(numbers: Iterable<number>): number {
  let sum = 0
  let place = 0
  for (const number of numbers) sum += number * ++place
  return sum
}
