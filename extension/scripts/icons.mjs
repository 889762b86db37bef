// Draws public/icon/*.png from assets/icon.svg. With --check nothing is written and drift exits with 1.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Resvg } from '@resvg/resvg-js'

const SIZES = [16, 32, 48, 96, 128]
const root = fileURLToPath(new URL('..', import.meta.url))
const svg = readFileSync(`${root}assets/icon.svg`, 'utf8')
const checking = process.argv.includes('--check')

mkdirSync(`${root}public/icon`, { recursive: true })
let drifted = 0
for (const size of SIZES) {
  const file = `${root}public/icon/${size}.png`
  const png = new Resvg(svg, { fitTo: { mode: 'width', value: size } }).render().asPng()
  if (!checking) writeFileSync(file, png)
  else if (!png.equals(readFileSync(file))) {
    console.error(`public/icon/${size}.png does not match assets/icon.svg: run "npm run icons"`)
    drifted++
  }
}
process.exit(drifted ? 1 : 0)
