// The zstd wrapper of sections. VTR_NO_ZSTD builds without the library: compressed modules are then unsupported.
#include "bytecode/read.h"

#ifndef VTR_NO_ZSTD
#define ZSTD_STATIC_LINKING_ONLY // for contexts in memory of the caller's: the library allocates nothing
#include <zstd.h>

// A block of a zstd frame is at least 4 bytes (header and one byte, repeated) and yields at most 128 KiB. So a frame
// that claims more cannot be sound, and nothing is allocated for its claim.
enum { MIN_BLOCK = 4, MAX_BLOCK = 128 << 10 };

enum { LEVEL = 3 };

const uint8_t *bc_inflate(Arena *arena, const uint8_t *frame, uint32_t len, uint32_t raw_len, const char **why) {
    if (len < 4 || frame[0] != 0x28 || frame[1] != 0xB5 || frame[2] != 0x2F || frame[3] != 0xFD) {
        return *why = "no zstd frame", NULL;
    }
    if (ZSTD_findFrameCompressedSize(frame, len) != len) return *why = "the zstd frame is damaged or not alone", NULL;
    unsigned long long told = ZSTD_getFrameContentSize(frame, len);
    if (told != ZSTD_CONTENTSIZE_UNKNOWN && told != raw_len) return *why = "the frame has another length", NULL;
    if (raw_len / MAX_BLOCK > len / MIN_BLOCK) return *why = "the frame cannot hold that much", NULL;
    uint8_t *raw = arena_alloc(arena, raw_len);
    Arena *scratch = arena_new(arena_ctx(arena));
    size_t room = ZSTD_estimateDCtxSize();
    ZSTD_DCtx *decoder = ZSTD_initStaticDCtx(arena_alloc(scratch, room), room);
    if (!decoder) ctx_bug(arena_ctx(arena), "zstd: no decoder in %zu bytes", room);
    size_t got = ZSTD_decompressDCtx(decoder, raw, raw_len, frame, len);
    arena_free(scratch);
    if (ZSTD_isError(got) || got != raw_len) return *why = "the frame is damaged", NULL;
    return raw;
}

const uint8_t *bc_deflate(Arena *arena, const uint8_t *bytes, uint32_t len, uint32_t *frame_len) {
    size_t bound = ZSTD_compressBound(len);
    uint8_t *frame = arena_alloc(arena, bound);
    Arena *scratch = arena_new(arena_ctx(arena));
    size_t room = ZSTD_estimateCCtxSize(LEVEL);
    ZSTD_CCtx *encoder = ZSTD_initStaticCCtx(arena_alloc(scratch, room), room);
    if (!encoder) ctx_bug(arena_ctx(arena), "zstd: no encoder in %zu bytes", room);
    size_t got = ZSTD_compressCCtx(encoder, frame, bound, bytes, len, LEVEL);
    if (ZSTD_isError(got)) ctx_bug(arena_ctx(arena), "zstd: %s", ZSTD_getErrorName(got));
    arena_free(scratch);
    *frame_len = (uint32_t)got;
    return frame;
}

#else

const uint8_t *bc_inflate(Arena *arena, const uint8_t *frame, uint32_t len, uint32_t raw_len, const char **why) {
    (void)frame, (void)len, (void)raw_len, (void)why;
    ctx_fail(arena_ctx(arena), VTR_ERR_UNSUPPORTED, "compressed module: this build has no zstd");
}

const uint8_t *bc_deflate(Arena *arena, const uint8_t *bytes, uint32_t len, uint32_t *frame_len) {
    (void)bytes, (void)len, (void)frame_len;
    ctx_fail(arena_ctx(arena), VTR_ERR_UNSUPPORTED, "compressed module: this build has no zstd");
}

#endif
