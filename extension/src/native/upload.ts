/** Sends bytes to the host in numbered chunks, never more unanswered ones than the host's window. */

import type * as wire from '../wire/native'
import type { NativeLink, Question } from './link'

/** As much of the link as an upload needs. */
export type Uplink = Pick<NativeLink, 'ask' | 'limits'>

/** Bytes on their way: base64 of the host's chunk size each, the last one shorter. */
export interface ByteSource {
  size: number | null
  name: string | null
  chunks: (chunkBytes: number) => AsyncIterable<string>
}

export interface UploadAbout {
  url: string | null
  pageUrl: string | null
  fresh: boolean
  /** Nobody asked: the video came into view. */
  automatic: boolean
}

/** More bytes than the host or the extension takes. */
export class TooLarge extends Error {
  constructor(readonly limitBytes: number) {
    super(`more than ${limitBytes} bytes`)
    this.name = 'TooLarge'
  }
}

// A whole film through base64 costs more than its verdict is worth; provenance of longer files is for
// `touchstone scan`. The host's own limit is higher and holds too.
export const UPLOAD_CAP_BYTES = 512 * 1024 * 1024
const BASE64_BYTES = 3 / 4

/**
 * Uploads and asks for the scan.
 *
 * @param onProgress called with the fraction sent, null where the size is not known.
 * @returns the id of the scan.
 * @throws HostError, LinkLost, TooLarge, and whatever reading the source throws.
 */
export async function upload(
  link: Uplink,
  uploadId: string,
  source: ByteSource,
  about: UploadAbout,
  onProgress: (fraction: number | null) => void,
): Promise<string> {
  const begun: Question = {
    type: 'upload_begin',
    upload_id: uploadId,
    fresh: about.fresh,
    automatic: about.automatic,
    ...(source.size === null ? {} : { size: source.size }),
    ...(source.name ? { name: source.name.slice(0, 1024) } : {}),
    ...(about.url ? { url: about.url } : {}),
    ...(about.pageUrl ? { page_url: about.pageUrl } : {}),
  }
  await link.ask(begun)
  const limits = link.limits
  const cap = Math.min(limits?.upload_bytes ?? UPLOAD_CAP_BYTES, UPLOAD_CAP_BYTES)
  try {
    if (source.size !== null && source.size > cap) throw new TooLarge(cap)
    const chunks = await sendChunks(link, uploadId, source, limits, cap, onProgress)
    const accepted = await link.ask<wire.Accepted>({ type: 'upload_end', upload_id: uploadId, chunks })
    return accepted.scan_id
  } catch (error) {
    // The host may have dropped it already, or be gone: then there is nothing to forget.
    link.ask({ type: 'upload_abort', upload_id: uploadId }).catch(() => undefined)
    throw error
  }
}

async function sendChunks(
  link: Uplink,
  uploadId: string,
  source: ByteSource,
  limits: wire.Limits | null,
  cap: number,
  onProgress: (fraction: number | null) => void,
): Promise<number> {
  const window = limits?.window ?? 1
  const underway = new Set<Promise<void>>()
  let failure: unknown = null
  let seq = 0
  let sent = 0
  for await (const data of source.chunks(limits?.chunk_bytes ?? 512 * 1024)) {
    sent += data.length * BASE64_BYTES
    if (sent > cap + 2) throw new TooLarge(cap)
    const acknowledged: Promise<void> = link
      .ask<wire.UploadAck>({ type: 'upload_chunk', upload_id: uploadId, seq, data })
      .then((ack) => onProgress(source.size ? Math.min(1, ack.received / source.size) : null))
      .catch((error: unknown) => {
        failure ??= error
      })
      .finally(() => underway.delete(acknowledged))
    underway.add(acknowledged)
    seq += 1
    while (underway.size >= window) await Promise.race(underway)
    if (failure) throw failure
  }
  await Promise.all(underway)
  if (failure) throw failure
  return seq
}
