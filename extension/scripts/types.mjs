// Writes src/wire/<name>.ts from schema/<name>.json, which tools/wire_types.py makes from the pydantic models.
// With --check nothing is written and the exit code is 1 when a file would change.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compile } from 'json-schema-to-typescript'

const root = fileURLToPath(new URL('..', import.meta.url))
const checking = process.argv.includes('--check')

/** Property titles would each become a type of their own, and a constant is always sent although it has a default. */
function prepared(node, isDefinition = false) {
  if (Array.isArray(node)) return node.map((item) => prepared(item))
  if (node === null || typeof node !== 'object') return node
  const out = {}
  for (const [key, value] of Object.entries(node)) {
    if (key === 'title' && typeof value === 'string' && !isDefinition) continue
    if (key === '$defs' || key === 'properties') {
      const named = Object.entries(value).map(([name, sub]) => [name, prepared(sub, key === '$defs')])
      out[key] = Object.fromEntries(named)
    } else {
      // Bounds on length are the sender's business and would turn arrays into huge tuple types.
      if (key === 'maxItems' || key === 'minItems') continue
      out[key] = prepared(value)
    }
  }
  if (out.properties) {
    const constants = Object.keys(out.properties).filter((name) => 'const' in out.properties[name])
    out.required = [...new Set([...(out.required ?? []), ...constants])]
  }
  return out
}

async function typescript(name) {
  const schema = JSON.parse(readFileSync(`${root}schema/${name}.json`, 'utf8'))
  const text = await compile(prepared(schema), `Any_${name}`, {
    bannerComment: `// Generated from schema/${name}.json by "npm run types". Do not edit.`,
    unreachableDefinitions: true,
    additionalProperties: false,
    style: { semi: false, singleQuote: true, printWidth: 110, trailingComma: 'all' },
  })
  return text
}

let drifted = 0
for (const file of readdirSync(`${root}schema`)
  .filter((f) => f.endsWith('.json'))
  .sort()) {
  const name = basename(file, '.json')
  const target = `${root}src/wire/${name}.ts`
  const wanted = await typescript(name)
  let found = ''
  try {
    found = readFileSync(target, 'utf8')
  } catch {
    // Not written yet: that is drift too.
  }
  if (wanted === found) continue
  if (checking) {
    console.error(
      `src/wire/${name}.ts does not match schema/${file}: run "npm run types" and commit the result`,
    )
    drifted++
  } else {
    writeFileSync(target, wanted)
    console.log(`wrote src/wire/${name}.ts`)
  }
}
process.exit(drifted ? 1 : 0)
