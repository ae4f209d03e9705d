// A growable byte buffer in an arena, for text output and for file images.
#ifndef VTR_SUPPORT_BUF_H
#define VTR_SUPPORT_BUF_H

#include "support/vec.h"

typedef struct Buf {
    Arena *arena;
    VEC(char) bytes; // always followed by a NUL once anything was written
} Buf;

Buf buf_new(Arena *arena);
void buf_bytes(Buf *buf, const void *bytes, size_t size);
void buf_text(Buf *buf, const char *text);
void buf_char(Buf *buf, char c);
void buf_printf(Buf *buf, const char *fmt, ...) VTR_PRINTF(2, 3);
// Little-endian integers.
void buf_u8(Buf *buf, uint8_t x);
void buf_u16(Buf *buf, uint16_t x);
void buf_u32(Buf *buf, uint32_t x);
void buf_u64(Buf *buf, uint64_t x);
void buf_uleb(Buf *buf, uint64_t x);
void buf_sleb(Buf *buf, int64_t x);
// The bytes written so far, NUL-terminated; valid until the next write.
const char *buf_str(Buf *buf);

#endif
