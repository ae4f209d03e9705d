#include "dis_code.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "dis_elf.h"
#include "dis_wasm.h"
#include "listing.h"

static int digit(char c) {
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;
    return at ? (int)(at - digits) : -1;
}

// How many bytes a text writes; -1: it is not hexadecimal.
static long hex_bytes(const char *text) {
    long n = 0;
    while (*text) {
        if (isspace((unsigned char)*text)) {
            text++;
            continue;
        }
        if (digit(text[0]) < 0 || digit(text[1]) < 0) return -1;
        text += 2;
        n++;
    }
    return n;
}

bool dis_add_hex(Input *input, const char *text) {
    long n = hex_bytes(text);
    char *grown = n < 0 ? NULL : realloc(input->bytes, input->size + (size_t)n + 1);
    if (!grown) return false;
    input->bytes = grown;
    for (; *text; text++) {
        if (isspace((unsigned char)*text)) continue;
        input->bytes[input->size++] = (char)(digit(text[0]) << 4 | digit(text[1]));
        text++;
    }
    input->bytes[input->size] = 0;
    return true;
}

typedef struct Listing {
    const Input *input;
    DisCode *dis;
} Listing;

static void list(Ctx *ctx, void *arg) {
    Listing *l = arg;
    DisCode *dis = l->dis;
    const uint8_t *bytes = (const uint8_t *)l->input->bytes;
    Buf out = buf_new(arena_new(ctx));
    if (elf_is_object(l->input)) {
        elf_list(ctx, l->input, dis->target, &out);
    } else if (wasm_is_module(l->input) && dis->target->stack) {
        wasm_list(ctx, l->input, dis->target, &out);
    } else {
        for (size_t at = 0; at < l->input->size;) {
            at += listing_line(dis->target, bytes + at, l->input->size - at, dis->address + at, 0, &out);
            buf_char(&out, '\n');
        }
    }
    dis->text = buf_str(&out);
    dis->n = out.bytes.n;
}

vtr_status dis_code(vtr_context *context, const Input *input, DisCode *dis) {
    Listing l = {input, dis};
    return ctx_try(context, list, &l);
}
