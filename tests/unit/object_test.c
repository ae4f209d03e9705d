// Objects by the public interface: their bytes, and what is refused.
#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "irgen_modules.h"
#include "unit.h"

static const char text[] = "function %half(i64) -> i64 system_v {\n"
                           "    fn0 = %outside(i64) -> i64 system_v\n"
                           "block0(v0: i64):\n"
                           "    v1 = iconst.i64 2\n"
                           "    v2 = call fn0(v0)\n"
                           "    trapz v2, user9\n"
                           "    v3 = udiv v2, v1\n"
                           "    return v3\n"
                           "}\n";

typedef struct Elf {
    uint8_t *bytes;
    size_t n;
    const Elf64_Ehdr *header;
    const Elf64_Shdr *sections;
    const char *names;
} Elf;

static vtr_object *new_object(vtr_context *ctx, vtr_opt opt) {
    vtr_object *object;
    vtr_object_options options = {.opt = opt, .check = true};
    ck_assert_int_eq(vtr_object_new(ctx, &options, &object), VTR_OK);
    return object;
}

static Elf finish(vtr_context *ctx, vtr_object *object) {
    Elf elf;
    (void)ctx;
    ck_assert_int_eq(vtr_object_bytes(object, &elf.bytes, &elf.n), VTR_OK);
    elf.header = (const Elf64_Ehdr *)elf.bytes;
    ck_assert_mem_eq(elf.header->e_ident, ELFMAG, SELFMAG);
    ck_assert_int_eq(elf.header->e_type, ET_REL);
    ck_assert_uint_eq(elf.header->e_shoff + elf.header->e_shnum * sizeof(Elf64_Shdr), elf.n);
    elf.sections = (const Elf64_Shdr *)(elf.bytes + elf.header->e_shoff);
    elf.names = (const char *)elf.bytes + elf.sections[elf.header->e_shstrndx].sh_offset;
    return elf;
}

static const Elf64_Shdr *find_section(const Elf *elf, const char *name) {
    for (unsigned k = 0; k < elf->header->e_shnum; k++)
        if (!strcmp(elf->names + elf->sections[k].sh_name, name)) return &elf->sections[k];
    ck_abort_msg("no section %s", name);
}

static const Elf64_Sym *find_symbol(const Elf *elf, const char *name) {
    const Elf64_Shdr *table = find_section(elf, ".symtab");
    const char *strings = (const char *)elf->bytes + elf->sections[table->sh_link].sh_offset;
    const Elf64_Sym *syms = (const Elf64_Sym *)(elf->bytes + table->sh_offset);
    for (size_t k = 0; k < table->sh_size / sizeof *syms; k++) {
        // Locals first: the format wants it.
        ck_assert_int_eq(ELF64_ST_BIND(syms[k].st_info) == STB_LOCAL, k < table->sh_info);
        if (!strcmp(strings + syms[k].st_name, name)) return &syms[k];
    }
    ck_abort_msg("no symbol %s", name);
}

START_TEST(clif) {
    vtr_context *ctx = test_context();
    vtr_object *object = new_object(ctx, (vtr_opt)_i);
    ck_assert_int_eq(vtr_object_add_clif(object, "half.clif", text, strlen(text)), VTR_OK);
    Elf elf = finish(ctx, object);
    const Elf64_Shdr *code = find_section(&elf, ".text");
    ck_assert_uint_eq(code->sh_flags, SHF_ALLOC | SHF_EXECINSTR);
    ck_assert_uint_eq(find_section(&elf, ".note.GNU-stack")->sh_size, 0);
    ck_assert_uint_eq(find_section(&elf, ".eh_frame")->sh_flags, SHF_ALLOC);
    ck_assert_uint_eq(find_section(&elf, "vitrail_traps")->sh_size, 8);
    const Elf64_Sym *half = find_symbol(&elf, "half");
    ck_assert_uint_eq(half->st_info, ELF64_ST_INFO(STB_GLOBAL, STT_FUNC));
    ck_assert_uint_eq(half->st_size, code->sh_size);
    ck_assert_uint_eq(find_symbol(&elf, "outside")->st_shndx, SHN_UNDEF);
    // The row of the trap.
    uint32_t row[2];
    memcpy(row, elf.bytes + find_section(&elf, "vitrail_traps")->sh_offset, sizeof row);
    ck_assert_uint_eq(row[1], 9);
    vtr_bytes_free(ctx, elf.bytes, elf.n);
    vtr_object_free(object);
    vtr_context_free(ctx);
}
END_TEST

static vtr_bytecode *read_module(vtr_context *ctx) {
    uint8_t *bytes;
    size_t n;
    vtr_bytecode *module;
    ck_assert_int_eq(vtr_bytecode_assemble(ctx, "m", functions_text, strlen(functions_text), &bytes, &n), VTR_OK);
    ck_assert_int_eq(vtr_bytecode_read(ctx, "m", bytes, n, VTR_ALLOW_LOW, &module), VTR_OK);
    vtr_bytes_free(ctx, bytes, n);
    return module;
}

START_TEST(module) {
    vtr_context *ctx = test_context();
    vtr_bytecode *from = read_module(ctx);
    vtr_object *object = new_object(ctx, (vtr_opt)_i);
    ck_assert_int_eq(vtr_object_add_bytecode(object, from, "fact"), VTR_OK);
    ck_assert_int_eq(vtr_object_add_bytecode(object, from, NULL), VTR_ERR_USAGE); // one module in an object
    Elf elf = finish(ctx, object);
    ck_assert_uint_eq(find_section(&elf, ".data.rel.ro")->sh_flags, SHF_ALLOC | SHF_WRITE);
    ck_assert_uint_eq(find_section(&elf, ".rodata")->sh_flags, SHF_ALLOC);
    ck_assert_uint_eq(find_symbol(&elf, "vitrail_image")->st_other, STV_HIDDEN);
    ck_assert_uint_eq(find_symbol(&elf, "fact")->st_info, ELF64_ST_INFO(STB_LOCAL, STT_FUNC));
    // The code has no relocation that a position-independent executable could not have: all are relative.
    ck_assert_uint_gt(find_section(&elf, ".rela.text")->sh_size, 0);
    vtr_bytes_free(ctx, elf.bytes, elf.n);
    vtr_object_free(object);
    vtr_bytecode_free(from);
    vtr_context_free(ctx);
}
END_TEST

// The same input gives the same bytes, in whatever context.
START_TEST(same_bytes) {
    Elf first = {0};
    vtr_context *contexts[2];
    for (unsigned k = 0; k < 2; k++) {
        vtr_context *ctx = contexts[k] = test_context();
        for (unsigned before = 0; before < k; before++) vtr_object_free(new_object(ctx, VTR_OPT_NONE));
        vtr_bytecode *from = read_module(ctx);
        vtr_object *object = new_object(ctx, (vtr_opt)_i);
        ck_assert_int_eq(vtr_object_add_bytecode(object, from, NULL), VTR_OK);
        Elf elf = finish(ctx, object);
        if (k) {
            ck_assert_uint_eq(elf.n, first.n);
            ck_assert_mem_eq(elf.bytes, first.bytes, elf.n);
            vtr_bytes_free(ctx, elf.bytes, elf.n);
        } else {
            first = elf;
        }
        vtr_object_free(object);
        vtr_bytecode_free(from);
    }
    vtr_bytes_free(contexts[0], first.bytes, first.n);
    vtr_context_free(contexts[0]);
    vtr_context_free(contexts[1]);
}
END_TEST

START_TEST(refused) {
    static const struct {
        const char *text;
        vtr_status status;
        const char *told;
    } cases[] = {
        {"function %f() system_v {\nblock0:\n return\n}\nfunction %f() system_v {\nblock0:\n return\n}\n",
         VTR_ERR_INPUT, "%f is defined already"},
        {"function %f() system_v {\nblock0:\n v0 = nonsense\n}\n", VTR_ERR_INPUT, NULL},
        {"function %f(i128) system_v {\nblock0(v0: i128):\n return\n}\n", VTR_ERR_UNSUPPORTED, NULL},
    };
    vtr_context *ctx = test_context();
    vtr_diagnostic_info info;
    for (unsigned k = 0; k < sizeof cases / sizeof *cases; k++) {
        vtr_object *object = new_object(ctx, VTR_OPT_SPEED);
        ck_assert_int_eq(vtr_object_add_clif(object, "t", cases[k].text, strlen(cases[k].text)), cases[k].status);
        ck_assert(vtr_diagnostic(ctx, 0, &info));
        if (cases[k].told) ck_assert_str_eq(info.message, cases[k].told);
        vtr_object_free(object);
        vtr_diagnostics_clear(ctx);
    }
    vtr_object *object = NULL;
    ck_assert_int_eq(vtr_object_new(ctx, &(vtr_object_options){.target = "pdp11"}, &object), VTR_ERR_NOT_FOUND);
    ck_assert_int_eq(vtr_object_new(ctx, &(vtr_object_options){.features = "none,"}, &object), VTR_ERR_NOT_FOUND);
    ck_assert_ptr_null(object);
    object = new_object(ctx, VTR_OPT_SPEED);
    ck_assert_int_eq(vtr_object_write(object, "/nonexistent/x.o"), VTR_ERR_SYSTEM);
    ck_assert_int_eq(vtr_object_write(object, "/nonexistent/x.o"), VTR_ERR_USAGE);
    ck_assert_int_eq(vtr_object_add_clif(object, "t", text, strlen(text)), VTR_ERR_USAGE);
    vtr_object_free(object);
    vtr_bytecode *from = read_module(ctx);
    object = new_object(ctx, VTR_OPT_SPEED);
    ck_assert_int_eq(vtr_object_add_bytecode(object, from, "no such function"), VTR_ERR_NOT_FOUND);
    vtr_object_free(object);
    vtr_bytecode_free(from);
    vtr_context_free(ctx);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("object");
    tcase_add_loop_test(tests, clif, 0, 2);
    tcase_add_loop_test(tests, module, 0, 2);
    tcase_add_loop_test(tests, same_bytes, 0, 2);
    tcase_add_test(tests, refused);
    return run_tests("object", tests);
}
