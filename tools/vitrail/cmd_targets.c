// `vitrail targets`: what machines this build knows, and what each does with every opcode.
#include <argp.h>
#include <stdio.h>

#include "commands.h"
#include "ways_text.h"

typedef struct TargetsArgs {
    const char *target;
    bool missing;
    bool patterns;
    bool json;
} TargetsArgs;

static const char *hold_name(const Target *t, Type type) {
    uint8_t cls = t->type_class[type];
    return cls == NO_CLASS ? "-" : t->classes[cls].name;
}

static void print_registers(const Target *t) {
    for (unsigned c = 0; c < t->n_classes; c++) {
        const RegClass *cls = &t->classes[c];
        printf("  %-10s", cls->name);
        for (unsigned r = 0; r < t->n_regs; r++) {
            if (regset_has(cls->regs, r)) printf(" %s%s", t->regs[r].name, regset_has(cls->allocatable, r) ? "" : "*");
        }
        putchar('\n');
    }
    puts("  (* = not handed out by the allocator)");
}

// The classes of a stack machine.
static void print_value_types(const Target *t) {
    for (unsigned c = 0; c < t->n_classes; c++)
        printf("  %-10s 0x%02x\n", t->classes[c].name, t->classes[c].value_type);
}

static void print_summary(const Target *t) {
    printf("%s: %u-bit pointers, %u registers, %u instructions, %u relocations\n", t->name, t->word_bits, t->n_regs,
           t->n_insts, t->n_relocs);
    printf("  conventions:");
    for (unsigned k = 0; k < t->n_abis; k++) printf(" %s", t->abis[k].name);
    printf("\n  features:");
    uint64_t host = t == target_host() ? t->host_features() : 0;
    for (unsigned k = 0; k < t->n_features; k++)
        printf(" %s%s%s", t->features[k].name, t->baseline >> k & 1 ? " (baseline)" : "",
               host >> k & 1 ? " (this machine has it)" : "");
    putchar('\n');
}

static void print_regs(const char *what, const Target *t, const uint8_t *regs, unsigned n) {
    if (!n) return;
    printf("    %-14s", what);
    for (unsigned k = 0; k < n; k++) printf(" %s", t->regs[regs[k]].name);
    putchar('\n');
}

static void print_convention(const Target *t, const Abi *a) {
    printf("  %s: stack aligned to %u bytes", a->name, a->stack_align);
    if (a->red_zone) printf(", red zone of %u", a->red_zone);
    if (a->shadow) printf(", shadow space of %u", a->shadow);
    if (a->link != NO_REG) printf(", return address in %s", t->regs[a->link].name);
    putchar('\n');
    if (a->values) {
        puts("    arguments and results are values on the operand stack");
        return;
    }
    print_regs("int args", t, a->int_args, a->n_int_args);
    print_regs("float args", t, a->float_args, a->n_float_args);
    print_regs("int results", t, a->int_results, a->n_int_results);
    print_regs("float results", t, a->float_results, a->n_float_results);
    printf("    %-14s", "preserved");
    for (unsigned r = 0; r < t->n_regs; r++) {
        if (regset_has(a->preserved, r)) printf(" %s", t->regs[r].name);
    }
    putchar('\n');
}

static void print_target(const Target *t, const TargetsArgs *args) {
    print_summary(t);
    puts(t->stack ? "\nValue types" : "\nRegister classes");
    if (t->stack) print_value_types(t);
    else print_registers(t);
    puts("\nTypes are held in");
    for (unsigned type = 1; type < N_TYPES; type++)
        printf("  %-4s %s\n", type_name((Type)type), hold_name(t, (Type)type));
    puts("\nConventions");
    for (unsigned k = 0; k < t->n_abis; k++) print_convention(t, &t->abis[k]);
    puts("\nOpcodes");
    ways_print(t, args->missing, args->patterns);
}

static error_t parse(int key, char *arg, struct argp_state *state) {
    TargetsArgs *args = state->input;
    switch (key) {
    case 'm': args->missing = true; return 0;
    case 'p': args->patterns = true; return 0;
    case 'j': args->json = true; return 0;
    case ARGP_KEY_ARG:
        if (args->target) return ARGP_ERR_UNKNOWN;
        args->target = arg;
        return 0;
    case ARGP_KEY_END:
        if (!args->target && (args->missing || args->patterns)) argp_error(state, "of which target?");
        if (args->json && (args->missing || args->patterns)) argp_error(state, "--json prints everything");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

int cmd_targets(int argc, char **argv) {
    static const struct argp_option options[] = {
        {"not-selected", 'm', NULL, 0, "Of the opcodes, list only those that are not selected in every case", 0},
        {"patterns", 'p', NULL, 0, "Of each opcode, list every pattern and expansion with what it becomes", 0},
        {"json", 'j', NULL, 0, "Print everything as JSON", 0},
        {0},
    };
    static const struct argp argp = {
        options,
        parse,
        "[TARGET]",
        "Lists the machines this build generates code for, and what each does with every opcode."
        "\vWith TARGET: its register classes, the class that holds each type, its conventions, and for every opcode "
        "and type by which instructions or rules it is selected, or which expansion (md/expand.md) or library call it "
        "becomes. The tables are those that the descriptions were compiled to.",
        NULL,
        NULL,
        NULL};
    argp_err_exit_status = EXIT_USAGE;
    TargetsArgs args = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &args);
    const Target *t = args.target ? target_find(args.target) : NULL;
    if (args.target && !t) {
        fprintf(stderr, "vitrail targets: there is no target '%s'\n", args.target);
        return EXIT_USAGE;
    }
    if (args.json) {
        targets_print_json(t);
    } else if (t) {
        print_target(t, &args);
    } else {
        for (const Target *const *each = targets_all; *each; each++) print_summary(*each);
        puts("\nOpcodes");
        ways_print_matrix();
    }
    return 0;
}
