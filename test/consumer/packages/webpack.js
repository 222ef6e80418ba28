import { basename, dirname } from 'node:path'
import { promisify } from 'node:util'
import webpack from 'webpack'

const [entry, outfile] = process.argv.slice(2)
const stats = await promisify(webpack)({
  entry,
  mode: 'production',
  target: 'node22.18',
  experiments: { outputModule: true },
  externalsType: 'module',
  externals: ['better-sqlite3'],
  output: { path: dirname(outfile), filename: basename(outfile), module: true },
  // Most of its time; esbuild shows the same in a moment.
  optimization: { minimize: false },
  performance: { hints: false },
})
if (stats.hasErrors() || stats.hasWarnings()) throw new Error(stats.toString('errors-warnings'))
