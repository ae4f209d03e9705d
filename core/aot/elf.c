// ELF relocatable files of 64 bits, little-endian (System V ABI, generic part, chapter 4).
//
// The order in the file: header, contents of the sections, their relocations, symbol table, string tables, section
// headers. Section numbers: 0, the object's sections, one for the relocations of each section that has any, then
// .note.GNU-stack, .symtab, .strtab, .shstrtab. Local symbols stand before the others, as the format demands.
#include <string.h>

#include "aot/object.h"

enum {
    SHT_PROGBITS = 1,
    SHT_SYMTAB = 2,
    SHT_STRTAB = 3,
    SHT_RELA = 4,
    SHF_WRITE = 1,
    SHF_ALLOC = 2,
    SHF_EXECINSTR = 4,
    SHF_INFO_LINK = 0x40,
    SHN_UNDEF = 0,
    SHN_ABS = 0xfff1,
    SHN_LORESERVE = 0xff00,
    EHDR_SIZE = 64,
    SHDR_SIZE = 64,
    SYM_SIZE = 24,
    STB_LOCAL = 0,
    STB_GLOBAL = 1,
    STB_WEAK = 2,
    STV_DEFAULT = 0,
    STV_HIDDEN = 2
};

typedef struct Header {
    uint32_t name; // offset in .shstrtab
    uint32_t type, link, info;
    uint64_t flags, offset, size, align, entry;
} Header;

typedef struct Elf {
    Object *o;
    Arena *arena;
    Buf file, strings, names;
    VEC(Header) headers;
    uint32_t *number; // of each symbol in the file
    uint32_t n_local;
} Elf;

static uint32_t add_string(Buf *table, const char *text) {
    if (!*text) return 0;
    uint32_t at = table->bytes.n;
    buf_bytes(table, text, strlen(text) + 1);
    return at;
}

static void pad_to(Buf *file, uint64_t align) {
    while (file->bytes.n % align) buf_u8(file, 0);
}

// Starts a section at the end of the file.
static Header *add_header(Elf *e, const char *name, uint32_t type, uint64_t flags, uint64_t align) {
    pad_to(&e->file, align);
    Header h = {.name = add_string(&e->names, name), .type = type, .flags = flags, .align = align};
    h.offset = e->file.bytes.n;
    vec_push(e->arena, &e->headers, h);
    return &vec_last(&e->headers);
}

static void end_section(Elf *e) {
    Header *h = &vec_last(&e->headers);
    h->size = e->file.bytes.n - h->offset;
}

static void put_sections(Elf *e) {
    static const uint8_t flags[] = {
        [OBJ_CODE] = SHF_ALLOC | SHF_EXECINSTR, [OBJ_READ_ONLY] = SHF_ALLOC, [OBJ_RELRO] = SHF_ALLOC | SHF_WRITE,
        [OBJ_DATA] = SHF_ALLOC | SHF_WRITE,     [OBJ_UNWIND] = SHF_ALLOC,    [OBJ_DEBUG] = 0,
    };
    for (uint32_t k = 0; k < e->o->sections.n; k++) {
        ObjSection *s = &e->o->sections.v[k];
        add_header(e, s->name, SHT_PROGBITS, flags[s->kind], s->align);
        buf_bytes(&e->file, buf_str(&s->bytes), s->bytes.bytes.n);
        end_section(e);
    }
}

static void put_relocs(Elf *e, uint32_t section, uint32_t symtab) {
    const ObjSection *s = &e->o->sections.v[section];
    if (!s->relocs.n) return;
    Header *h = add_header(e, arena_printf(e->arena, ".rela%s", s->name), SHT_RELA, SHF_INFO_LINK, 8);
    h->entry = 24;
    h->link = symtab;
    h->info = section + 1;
    for (uint32_t k = 0; k < s->relocs.n; k++) {
        const ObjReloc *r = &s->relocs.v[k];
        buf_u64(&e->file, r->at);
        buf_u64(&e->file, (uint64_t)e->number[r->sym] << 32 | r->elf);
        buf_u64(&e->file, (uint64_t)r->addend);
    }
    end_section(e);
}

// Numbers the symbols: locals first.
static void number_symbols(Elf *e) {
    const Object *o = e->o;
    e->number = NEW_ARRAY(e->arena, uint32_t, o->syms.n);
    uint32_t next = 1;
    for (unsigned pass = 0; pass < 2; pass++) {
        for (uint32_t k = 0; k < o->syms.n; k++)
            if ((o->syms.v[k].scope != OBJ_LOCAL) == pass) e->number[k] = next++;
        if (!pass) e->n_local = next;
    }
}

static void put_symbol(Elf *e, const ObjSym *s) {
    static const uint8_t types[] = {
        [OBJ_NOTYPE] = 0, [OBJ_OBJECT] = 1, [OBJ_FUNC] = 2, [OBJ_SECTION] = 3, [OBJ_FILE] = 4};
    uint8_t bind = s->scope == OBJ_LOCAL ? STB_LOCAL : s->scope == OBJ_WEAK ? STB_WEAK : STB_GLOBAL;
    buf_u32(&e->file, add_string(&e->strings, s->name));
    buf_u8(&e->file, (uint8_t)(bind << 4 | types[s->kind]));
    buf_u8(&e->file, s->scope == OBJ_HIDDEN ? STV_HIDDEN : STV_DEFAULT);
    buf_u16(&e->file, (uint16_t)(s->kind == OBJ_FILE ? SHN_ABS : s->section == NONE ? SHN_UNDEF : s->section + 1));
    buf_u64(&e->file, s->value);
    buf_u64(&e->file, s->size);
}

static void put_symbols(Elf *e) {
    Header *h = add_header(e, ".symtab", SHT_SYMTAB, 0, 8);
    h->entry = SYM_SIZE;
    h->info = e->n_local;
    h->link = e->headers.n; // the string table comes next
    for (unsigned k = 0; k < SYM_SIZE; k++) buf_u8(&e->file, 0);
    for (unsigned pass = 0; pass < 2; pass++)
        for (uint32_t k = 0; k < e->o->syms.n; k++)
            if ((e->o->syms.v[k].scope != OBJ_LOCAL) == pass) put_symbol(e, &e->o->syms.v[k]);
    end_section(e);
}

static void put_headers(Elf *e) {
    for (uint32_t k = 0; k < e->headers.n; k++) {
        const Header *h = &e->headers.v[k];
        buf_u32(&e->file, h->name);
        buf_u32(&e->file, h->type);
        buf_u64(&e->file, h->flags);
        buf_u64(&e->file, 0); // address
        buf_u64(&e->file, h->offset);
        buf_u64(&e->file, h->size);
        buf_u32(&e->file, h->link);
        buf_u32(&e->file, h->info);
        buf_u64(&e->file, h->align);
        buf_u64(&e->file, h->entry);
    }
}

static uint32_t file_flags(const Object *o) {
    uint32_t flags = o->target->elf_flags;
    for (unsigned k = 0; k < o->target->n_features; k++)
        if (o->features >> k & 1) flags |= o->target->features[k].elf_flags;
    return flags;
}

static Buf file_header(Elf *e, uint64_t sections_at) {
    static const uint8_t ident[16] = {0x7f, 'E', 'L', 'F', 2 /* 64 bits */, 1 /* little-endian */, 1 /* version */};
    Buf out = buf_new(e->arena);
    buf_bytes(&out, ident, sizeof ident);
    buf_u16(&out, 1); // ET_REL
    buf_u16(&out, e->o->target->elf_machine);
    buf_u32(&out, 1); // version
    buf_u64(&out, 0); // entry
    buf_u64(&out, 0); // program headers
    buf_u64(&out, sections_at);
    buf_u32(&out, file_flags(e->o));
    buf_u16(&out, EHDR_SIZE);
    buf_u16(&out, 0);
    buf_u16(&out, 0);
    buf_u16(&out, SHDR_SIZE);
    buf_u16(&out, (uint16_t)e->headers.n);
    buf_u16(&out, (uint16_t)(e->headers.n - 1)); // .shstrtab is the last
    return out;
}

static void put_table(Elf *e, const char *name, Buf *table) {
    add_header(e, name, SHT_STRTAB, 0, 1); // its own name goes into .shstrtab before that is written
    buf_bytes(&e->file, buf_str(table), table->bytes.n);
    end_section(e);
}

Buf object_elf(Object *o, Arena *arena) {
    Elf e = {.o = o, .arena = arena, .file = buf_new(arena), .strings = buf_new(arena), .names = buf_new(arena)};
    if (o->sections.n * 2 + 5 >= SHN_LORESERVE) ctx_fail(o->ctx, VTR_ERR_LIMIT, "too many sections");
    buf_u8(&e.strings, 0);
    buf_u8(&e.names, 0);
    for (unsigned k = 0; k < EHDR_SIZE; k++) buf_u8(&e.file, 0);
    vec_push(arena, &e.headers, (Header){0});
    number_symbols(&e);
    uint32_t symtab = o->sections.n + 2; // behind these and .note.GNU-stack
    for (uint32_t k = 0; k < o->sections.n; k++) symtab += o->sections.v[k].relocs.n != 0;
    put_sections(&e);
    for (uint32_t k = 0; k < o->sections.n; k++) put_relocs(&e, k, symtab);
    add_header(&e, ".note.GNU-stack", SHT_PROGBITS, 0, 1);
    put_symbols(&e);
    put_table(&e, ".strtab", &e.strings);
    put_table(&e, ".shstrtab", &e.names);
    pad_to(&e.file, 8);
    Buf header = file_header(&e, e.file.bytes.n);
    put_headers(&e);
    memcpy(e.file.bytes.v, buf_str(&header), EHDR_SIZE);
    return e.file;
}
