# syntax=docker/dockerfile:1

# The dependencies alone, so that a change of code does not install them again. The embedded PostgreSQL is of no use
# here: a container is given DATABASE_URL.
FROM oven/bun:1.4.5-slim AS dependencies
WORKDIR /app
COPY package.json bun.lock bunfig.toml ./
COPY patches ./patches
RUN bun install --frozen-lockfile --production --omit=optional

FROM oven/bun:1.4.5-slim
WORKDIR /app
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=3000 \
    BUN_JSC_heapGrowthMaxIncrease=0.8 \
    BUN_JSC_smallHeapGrowthFactor=1.8 \
    BUN_JSC_minEdenToOldGenerationRatio=0.36
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json bunfig.toml tsconfig.json LICENSE ./
COPY drizzle ./drizzle
COPY src ./src
COPY workers ./workers
# few files instead of a thousand: the services start sooner and take less memory
RUN bun src/cli.ts bundle
# the image's unprivileged user; nothing is written into the image's own files
USER bun
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["bun", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["bun", "src/launch.ts"]
CMD ["api"]
