import { expect, test } from 'vitest'
import { pictureBox } from '../src/page/picture'

const FRAME = { width: 400, height: 400 }
const WIDE = { width: 200, height: 100 }
const CENTRE = '50% 50%'

test.each([
  ['contain', CENTRE, WIDE, { left: 0, top: 100, width: 400, height: 200 }],
  ['contain', '0% 0%', WIDE, { left: 0, top: 0, width: 400, height: 200 }],
  ['contain', '50% 100%', WIDE, { left: 0, top: 200, width: 400, height: 200 }],
  ['contain', '10px 30px', WIDE, { left: 10, top: 30, width: 400, height: 200 }],
  ['contain', 'calc(50% + 1px) calc(20px)', WIDE, { left: 0, top: 100, width: 400, height: 200 }],
  ['cover', CENTRE, WIDE, { left: -200, top: 0, width: 800, height: 400 }],
  ['cover', '100% 0%', WIDE, { left: -400, top: 0, width: 800, height: 400 }],
  ['fill', CENTRE, WIDE, { left: 0, top: 0, width: 400, height: 400 }],
  ['none', CENTRE, WIDE, { left: 100, top: 150, width: 200, height: 100 }],
  ['scale-down', CENTRE, WIDE, { left: 100, top: 150, width: 200, height: 100 }],
  ['scale-down', CENTRE, { width: 800, height: 400 }, { left: 0, top: 100, width: 400, height: 200 }],
  ['a keyword of tomorrow', CENTRE, WIDE, { left: 0, top: 100, width: 400, height: 200 }],
] as const)('%s at %s', (objectFit, position, natural, box) => {
  expect(pictureBox(FRAME, natural, objectFit, position)).toEqual(box)
})
