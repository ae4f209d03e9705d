#include "dis_elf.h"

#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "listing.h"
#include "support/vec.h"

typedef struct Label {
    uint64_t at; // from the section's start
    const char *name;
} Label;

typedef struct Elf {
    Ctx *ctx;
    const uint8_t *bytes;
    size_t size;
    const Target *target;
    Elf64_Ehdr head;
    const Elf64_Shdr *sections; // copied: in the file they may be unaligned
    const char *names;          // of sections
    size_t names_size;
    Buf *out;
} Elf;

bool elf_is_object(const Input *input) {
    return input->size >= sizeof(Elf64_Ehdr) && !memcmp(input->bytes, ELFMAG, SELFMAG);
}

const Target *elf_target(const Input *input) {
    Elf64_Ehdr head;
    memcpy(&head, input->bytes, sizeof head);
    for (const Target *const *t = targets_all; *t; t++)
        if (head.e_machine && (*t)->elf_machine == head.e_machine) return *t;
    return NULL;
}

// `n` elements of `size` bytes at `at`, aligned; throws when they are not in the file.
static const void *part(const Elf *e, Arena *arena, uint64_t at, uint64_t n, uint64_t size) {
    if (at > e->size || n > (e->size - at) / size) ctx_fail(e->ctx, VTR_ERR_INPUT, "a part of the file is missing");
    return arena_copy(arena, e->bytes + at, (size_t)(n * size));
}

static const char *string_at(const char *table, size_t size, uint64_t at) {
    return at < size && memchr(table + at, 0, size - (size_t)at) ? table + at : "?";
}

static const Elf64_Shdr *section(const Elf *e, uint64_t n) {
    if (n >= e->head.e_shnum) ctx_fail(e->ctx, VTR_ERR_INPUT, "there is no section %" PRIu64, n);
    return &e->sections[n];
}

// ---- symbols ------------------------------------------------------------------------------------------

typedef struct Symbols {
    const Elf64_Sym *v;
    uint64_t n;
    const char *names;
    size_t names_size;
} Symbols;

static Symbols read_symbols(const Elf *e, Arena *arena, const Elf64_Shdr *table) {
    const Elf64_Shdr *names = section(e, table->sh_link);
    uint64_t n = table->sh_size / sizeof(Elf64_Sym);
    return (Symbols){part(e, arena, table->sh_offset, n, sizeof(Elf64_Sym)), n,
                     part(e, arena, names->sh_offset, names->sh_size, 1), names->sh_size};
}

static const char *symbol_name(const Elf *e, const Symbols *s, uint64_t k) {
    if (k >= s->n) return "?";
    const Elf64_Sym *symbol = &s->v[k];
    if (ELF64_ST_TYPE(symbol->st_info) == STT_SECTION && symbol->st_shndx < e->head.e_shnum)
        return string_at(e->names, e->names_size, e->sections[symbol->st_shndx].sh_name);
    return string_at(s->names, s->names_size, symbol->st_name);
}

static int compare_labels(const void *a, const void *b) {
    const Label *x = a;
    const Label *y = b;
    if (x->at != y->at) return x->at < y->at ? -1 : 1;
    return strcmp(x->name, y->name);
}

// The functions and other named places of a section, in the order of their offsets; behind them one without a name.
static const Label *labels_of(const Elf *e, Arena *arena, unsigned number, uint64_t base) {
    VEC(Label) labels = {0};
    const uint64_t size = e->sections[number].sh_size;
    for (unsigned k = 0; k < e->head.e_shnum; k++) {
        if (e->sections[k].sh_type != SHT_SYMTAB) continue;
        Symbols s = read_symbols(e, arena, &e->sections[k]);
        for (uint64_t i = 0; i < s.n; i++) {
            unsigned type = ELF64_ST_TYPE(s.v[i].st_info);
            uint64_t at = s.v[i].st_value - base;
            if (s.v[i].st_shndx == number && type != STT_SECTION && type != STT_FILE && s.v[i].st_name && at < size)
                vec_push(arena, &labels, ((Label){at, symbol_name(e, &s, i)}));
        }
    }
    if (labels.n) qsort(labels.v, labels.n, sizeof *labels.v, compare_labels);
    vec_push(arena, &labels, ((Label){size, NULL}));
    return labels.v;
}

// ---- relocations ----------------------------------------------------------------------------------------

typedef struct Relocs {
    Symbols symbols;
    const Elf64_Rela *v;
    uint64_t n;
    uint64_t next; // the first that was not printed yet
} Relocs;

static Relocs relocs_of(const Elf *e, Arena *arena, unsigned number) {
    for (unsigned k = 0; k < e->head.e_shnum; k++) {
        const Elf64_Shdr *s = &e->sections[k];
        if (s->sh_type != SHT_RELA || s->sh_info != number) continue;
        uint64_t n = s->sh_size / sizeof(Elf64_Rela);
        return (Relocs){read_symbols(e, arena, section(e, s->sh_link)),
                        part(e, arena, s->sh_offset, n, sizeof(Elf64_Rela)), n, 0};
    }
    return (Relocs){0};
}

static void print_relocs(const Elf *e, Relocs *r, uint64_t end) {
    for (; r->next < r->n && r->v[r->next].r_offset < end; r->next++) {
        const Elf64_Rela *x = &r->v[r->next];
        uint32_t type = (uint32_t)ELF64_R_TYPE(x->r_info);
        const char *name = NULL;
        for (unsigned k = 0; k < e->target->n_relocs; k++)
            if (e->target->relocs[k].elf == type) name = e->target->relocs[k].name;
        if (name) buf_printf(e->out, "    ; %s", name);
        else buf_printf(e->out, "    ; relocation %" PRIu32, type);
        if (ELF64_R_SYM(x->r_info)) buf_printf(e->out, " %s", symbol_name(e, &r->symbols, ELF64_R_SYM(x->r_info)));
        if (x->r_addend) buf_printf(e->out, "%+" PRId64, x->r_addend);
    }
}

// ---- sections ---------------------------------------------------------------------------------------------

static void list_section(const Elf *e, Arena *arena, unsigned number) {
    const Elf64_Shdr *s = &e->sections[number];
    const uint8_t *bytes = part(e, arena, s->sh_offset, s->sh_size, 1);
    const uint64_t base = e->head.e_type == ET_REL ? 0 : s->sh_addr;
    const Label *label = labels_of(e, arena, number, base);
    Relocs relocs = relocs_of(e, arena, number);
    buf_printf(e->out, "section %s\n", string_at(e->names, e->names_size, s->sh_name));
    for (uint64_t at = 0; at < s->sh_size;) {
        for (; label->name && label->at <= at; label++) buf_printf(e->out, "%s:\n", label->name);
        at += listing_line(e->target, bytes + at, (size_t)(label->at - at), base + at, 0, e->out);
        print_relocs(e, &relocs, at);
        buf_char(e->out, '\n');
    }
}

void elf_list(Ctx *ctx, const Input *input, const Target *t, Buf *out) {
    Elf e = {.ctx = ctx, .bytes = (const uint8_t *)input->bytes, .size = input->size, .target = t, .out = out};
    memcpy(&e.head, e.bytes, sizeof e.head);
    if (e.head.e_ident[EI_CLASS] != ELFCLASS64 || e.head.e_ident[EI_DATA] != ELFDATA2LSB ||
        e.head.e_shentsize != sizeof(Elf64_Shdr))
        ctx_fail(ctx, VTR_ERR_UNSUPPORTED, "only 64-bit little-endian ELF files are read");
    Arena *arena = out->arena;
    e.sections = part(&e, arena, e.head.e_shoff, e.head.e_shnum, sizeof(Elf64_Shdr));
    const Elf64_Shdr *names = section(&e, e.head.e_shstrndx);
    e.names = part(&e, arena, names->sh_offset, names->sh_size, 1);
    e.names_size = names->sh_size;
    for (unsigned k = 0; k < e.head.e_shnum; k++) {
        if (e.sections[k].sh_type == SHT_PROGBITS && e.sections[k].sh_flags & SHF_EXECINSTR && e.sections[k].sh_size)
            list_section(&e, arena, k);
    }
}
