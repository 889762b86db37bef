/** Ask again and again until the answer is neither false nor undefined; fail loudly after `timeoutMs`. */
export async function until<Answer>(
  what: string,
  ask: () => Promise<Answer | false | undefined>,
  timeoutMs = 20_000,
): Promise<Answer> {
  const deadline = Date.now() + timeoutMs
  let last: unknown
  for (;;) {
    try {
      const answer = await ask()
      if (answer !== false && answer !== undefined) return answer
      last = answer
    } catch (problem) {
      last = problem // pages come and go while we look; only the last problem matters
    }
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain until ${what}; last: ${last}`)
    await new Promise((resume) => setTimeout(resume, 100))
  }
}
