/** Outlines around the places of marks, over the picture of the video. They take no clicks and never move. */

import type { MarkPlace } from '../marks'
import { el } from './dom'
import type { Picture } from './picture'

/** How long they are to be seen: long enough to find some thin lines, in a video that plays. */
export const OUTLINED_MS = 8000

export class Outlines {
  readonly element: HTMLElement
  private readonly boxes: HTMLElement[]

  constructor(
    document: Document,
    private readonly places: MarkPlace[],
  ) {
    this.boxes = places.map(({ box }, index) =>
      el(
        document,
        'div',
        { class: box.y + box.h / 2 > 0.5 ? 'outline low' : 'outline' },
        places.length > 1 ? el(document, 'span', {}, `${index + 1}`) : null,
      ),
    )
    // The panel says in words where the marks are; this is for those who see the picture.
    this.element = el(document, 'div', { part: 'outlines', 'aria-hidden': 'true' }, ...this.boxes)
  }

  /** Lays them over the picture. `origin` is where the layer that they are in is now. */
  place({ whole, frame }: Picture, origin: { left: number; top: number }): void {
    lay(this.element, frame.left - origin.left, frame.top - origin.top, frame.width, frame.height)
    this.places.forEach(({ box }, index) => {
      const outline = this.boxes[index]
      if (!outline) return
      const left = whole.left + box.x * whole.width - frame.left
      const top = whole.top + box.y * whole.height - frame.top
      lay(outline, left, top, box.w * whole.width, box.h * whole.height)
    })
  }
}

function lay(element: HTMLElement, left: number, top: number, width: number, height: number): void {
  for (const [name, value] of Object.entries({ left, top, width, height })) {
    element.style.setProperty(name, `${Math.round(value)}px`)
  }
}
