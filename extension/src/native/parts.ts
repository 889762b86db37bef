import type { Part } from '../wire/native'

/** Joins messages that the host had to cut. Parts of one message are never mixed with those of another. */
export class PartJoiner {
  private partId: string | null = null
  private pieces: string[] = []

  /** The whole message once its last part is there, else null. A part out of order drops what was begun. */
  add(part: Part): unknown {
    if (part.seq === 0) {
      this.partId = part.part_id
      this.pieces = []
    }
    if (part.part_id !== this.partId || part.seq !== this.pieces.length) {
      this.reset()
      return null
    }
    this.pieces.push(part.data)
    if (!part.last) return null
    const text = this.pieces.join('')
    this.reset()
    try {
      return JSON.parse(text) as unknown
    } catch {
      return null
    }
  }

  private reset(): void {
    this.partId = null
    this.pieces = []
  }
}
