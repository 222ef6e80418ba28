import { render } from 'preact'
import { App } from './app.tsx'
import { loadCatalog } from './data/catalog.ts'
import { follow } from './data/live.ts'
import { applyTheme } from './parts/theme.tsx'

applyTheme()
render(<App />, document.body)
// The page shows why loading failed.
loadCatalog().catch(() => {})
void follow()
