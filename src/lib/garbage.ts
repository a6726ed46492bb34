/** What a process holds of memory that nobody uses any more. */

export interface Memory {
  /** What the process takes up, in bytes. */
  used(): number;
  /** Lets go of all that is not used, at once. */
  collect(): void;
}

const ownMemory: Memory = { used: () => process.memoryUsage.rss(), collect: () => Bun.gc(true) };

/**
 * To be called between parts of work that goes through much: the engine by itself lets its garbage grow with the memory
 * that the machine has, and not with what a process is to take.
 * @param growthBytes above what was in use after the last collection
 */
export function createCollector(growthBytes: number, memory: Memory = ownMemory): () => void {
  let kept = memory.used();
  return () => {
    if (memory.used() <= kept + growthBytes) return;
    memory.collect();
    kept = memory.used();
  };
}
