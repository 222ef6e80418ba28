import { describe } from 'vitest'
import { executablePath } from './find-browser.ts'
import { accessible } from './page/accessible.ts'
import { guarding } from './page/guarding.ts'
import { living } from './page/living.ts'
import { looking } from './page/looking.ts'
import { scrolling } from './page/scrolling.ts'
import { writing } from './page/writing.ts'

// The studio in a real browser, one for all. What it runs is what `npm run build` has made of the page.

if (executablePath === undefined)
  console.warn('There is no browser here, and the page of the studio is not tested: install chromium')

describe.skipIf(executablePath === undefined)('the page', () => {
  looking()
  writing()
  living()
  guarding()
  scrolling()
  accessible()
})
