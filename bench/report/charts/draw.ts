import { loadPackage } from '../../packages/load.ts'

interface VegaLite {
  compile(spec: object): { readonly spec: object }
}

interface Vega {
  parse(spec: object): object
  View: new (runtime: object, options: { readonly renderer: 'none' }) => { toSVG(): Promise<string> }
}

/** What all charts look like. */
const config = {
  background: 'white',
  font: 'system-ui, sans-serif',
  axis: { labelFontSize: 11, titleFontSize: 11, titleFontWeight: 'normal', gridColor: '#e6e6e6' },
  header: { labelFontSize: 12, labelFontWeight: 'bold', title: null },
  legend: { labelFontSize: 11, labelLimit: 0, title: null },
  view: { stroke: '#d0d0d0' },
}

/** A Vega-Lite chart as SVG. */
export async function draw(spec: object): Promise<string> {
  const { compile } = await loadPackage<VegaLite>('vega-lite')
  const { parse, View } = await loadPackage<Vega>('vega')
  const svg = await new View(parse(compile({ ...spec, config }).spec), { renderer: 'none' }).toSVG()
  return `${svg}\n`
}
