/** A file as an answer, a piece at a time: the next one is asked for when the receiver has taken the last. */
export function fileResponse(
  chunks: AsyncGenerator<Uint8Array>,
  { contentType, name }: { contentType: string; name: string },
): Response {
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await chunks.return(undefined);
    },
  });
  return new Response(body, {
    headers: {
      "content-type": contentType,
      "content-disposition": `attachment; filename="${name}"`,
      "cache-control": "no-store",
    },
  });
}
