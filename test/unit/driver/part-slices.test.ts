import { expect, it } from 'vitest'
import { PartSlices } from '../../../src/driver/sqlite/rows/part-slices.ts'

const asked = Array.from({ length: 1_000 }, (_, n) => n)

/** Keeps the thread busy for this many milliseconds. */
function work(milliseconds: number): void {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
}

/** Parts that take a millisecond for each thing, and for how many things each of them was. */
function slowParts() {
  const lengths: number[] = []
  const readPart = (part: readonly number[]) => {
    lengths.push(part.length)
    work(part.length)
    return part
  }
  return { lengths, readPart }
}

it('reads all parts in their order, and tells each where it begins', () => {
  const slices = new PartSlices(asked, (part, first) => part.map((one) => [first, one]), {
    of: 256,
    least: 1,
  })
  while (!slices.read());
  expect(slices.rows.map(([, one]) => one)).toEqual(asked)
  expect(slices.rows.filter(([first, one]) => first === one)[0]).toEqual([0, 0])
  expect(slices.rows.every(([first, one]) => first! <= one!)).toBe(true)
})

it('parts that take long become smaller, and a later read begins with what fits', () => {
  const size = { of: 256, least: 1 }
  const lengths: number[] = []
  const read = () => {
    const slices = new PartSlices(
      asked,
      (part) => {
        lengths.push(part.length)
        work(part.length / 10)
        return part
      },
      size,
    )
    while (!slices.read());
    expect(slices.rows).toEqual(asked)
  }
  read()
  expect(lengths.slice(0, 3)).toEqual([256, 128, 64])
  expect(size.of).toBeLessThanOrEqual(64)
  lengths.length = 0
  const begun = size.of
  read()
  expect(lengths[0]).toBe(begun)
})

it('a read of fewer things than a part is for, which takes long, makes the parts of later reads smaller than that', () => {
  const size = { of: 256, least: 1 }
  const { lengths, readPart } = slowParts()
  for (let n = 0; n < 2; n++) {
    const slices = new PartSlices(asked.slice(0, 8), readPart, size)
    while (!slices.read());
    expect(slices.rows).toEqual(asked.slice(0, 8))
  }
  expect(lengths.slice(0, 3)).toEqual([8, 4, 2])
})

it('no part is made smaller than the least that was asked for, however long it takes', () => {
  const size = { of: 256, least: 4 }
  const { lengths, readPart } = slowParts()
  for (const asks of [2, 8, 2]) {
    const slices = new PartSlices(asked.slice(0, asks), readPart, size)
    while (!slices.read());
  }
  expect(lengths).toEqual([2, 4, 4, 2])
})

it('a part that gives its rows one by one is left in the middle when a pause is due, and ended by stop', () => {
  let isEnded = false
  const readPart = function* () {
    try {
      for (const one of asked) {
        work(0.1)
        yield one
      }
    } finally {
      isEnded = true
    }
  }
  const whole = new PartSlices([0], readPart, { of: 1, least: 1 })
  expect(whole.read()).toBe(false)
  expect(whole.rows.length).toBeLessThan(asked.length)
  while (!whole.read());
  expect(whole.rows).toEqual(asked)

  isEnded = false
  const left = new PartSlices([0], readPart, { of: 1, least: 1 })
  expect(left.read()).toBe(false)
  left.stop()
  expect(isEnded).toBe(true)
})
