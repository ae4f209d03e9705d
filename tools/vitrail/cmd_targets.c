// `vitrail targets`: what machines this build knows, and what each does with every opcode.
#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "select/target.h"

typedef struct TargetsArgs {
    const char *target;
    bool missing;
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

static void print_summary(const Target *t) {
    printf("%s: %u-bit pointers, %u registers, %u instructions, %u relocations\n", t->name, t->word_bits, t->n_regs,
           t->n_insts, t->n_relocs);
    printf("  conventions:");
    for (unsigned k = 0; k < t->n_abis; k++) printf(" %s", t->abis[k].name);
    printf("\n  features:");
    uint64_t host = t == target_host() ? t->host_features() : 0;
    for (unsigned k = 0; k < t->n_features; k++)
        printf(" %s%s", t->features[k].name, host >> k & 1 ? " (this machine has it)" : "");
    putchar('\n');
}

// What the target does with one opcode at one choice of types.
static const char *coverage(const Target *t, Op op, Type control, Type operand) {
    uint64_t all = 0;
    for (unsigned k = 0; k < t->n_features; k++) all |= UINT64_C(1) << k;
    if (t->covers(op, control, operand, 0)) return "selected";
    return t->covers(op, control, operand, all) ? "selected with a feature, else expanded" : "expanded";
}

static TypeSet free_types(Op op) {
    for (unsigned k = 0; k < op_info[op].n_args; k++) {
        if (op_info[op].args[k].rule == TR_FREE) return op_info[op].args[k].set;
    }
    return 0;
}

static bool fits(Op op, Type control, Type operand) {
    switch (op_info[op].when) {
    case WHEN_ARG_NARROWER: return type_bits(operand) < type_bits(control);
    case WHEN_ARG_WIDER: return type_bits(operand) > type_bits(control);
    case WHEN_ARG_SAME: return type_bits(operand) == type_bits(control);
    default: return true;
    }
}

static void print_row(const Target *t, Op op, Type control, Type operand, bool missing) {
    const char *what = coverage(t, op, control, operand);
    if (missing && !strcmp(what, "selected")) return;
    char name[64];
    snprintf(name, sizeof name, "%s%s%s", op_name(op), control == T_none ? "" : ".",
             control == T_none ? "" : type_name(control));
    if (operand != T_none) printf("  %-26s from %-4s %s\n", name, type_name(operand), what);
    else printf("  %-36s %s\n", name, what);
}

static void print_coverage(const Target *t, bool missing) {
    for (unsigned op = 0; op < N_OPS; op++) {
        TypeSet operands = free_types((Op)op);
        for (unsigned control = 0; control < N_TYPES; control++) {
            if (op_info[op].types ? !type_in((Type)control, op_info[op].types) : control != T_none) continue;
            if (!operands) print_row(t, (Op)op, (Type)control, T_none, missing);
            for (unsigned operand = 1; operand < N_TYPES; operand++) {
                if (type_in((Type)operand, operands) && fits((Op)op, (Type)control, (Type)operand))
                    print_row(t, (Op)op, (Type)control, (Type)operand, missing);
            }
        }
    }
}

static void print_target(const Target *t, const TargetsArgs *args) {
    print_summary(t);
    puts("\nRegister classes");
    print_registers(t);
    puts("\nTypes are held in");
    for (unsigned type = 1; type < N_TYPES; type++)
        printf("  %-4s %s\n", type_name((Type)type), hold_name(t, (Type)type));
    puts("\nOpcodes");
    print_coverage(t, args->missing);
}

static error_t parse(int key, char *arg, struct argp_state *state) {
    TargetsArgs *args = state->input;
    switch (key) {
    case 'm': args->missing = true; return 0;
    case ARGP_KEY_ARG:
        if (args->target) return ARGP_ERR_UNKNOWN;
        args->target = arg;
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

int cmd_targets(int argc, char **argv) {
    static const struct argp_option options[] = {
        {"not-selected", 'm', NULL, 0, "Of the opcodes, list only those that are not selected in every case", 0},
        {0},
    };
    static const struct argp argp = {
        options,
        parse,
        "[TARGET]",
        "Lists the machines this build generates code for."
        "\vWith TARGET, also its register classes, the class that holds each type, and for every opcode and type "
        "whether "
        "it is selected as machine instructions or expanded into simpler opcodes (md/expand.md).",
        NULL,
        NULL,
        NULL};
    argp_err_exit_status = EXIT_USAGE;
    TargetsArgs args = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &args);
    if (args.target) {
        const Target *t = target_find(args.target);
        if (!t) {
            fprintf(stderr, "vitrail targets: there is no target '%s'\n", args.target);
            return EXIT_USAGE;
        }
        print_target(t, &args);
        return 0;
    }
    for (const Target *const *t = targets_all; *t; t++) print_summary(*t);
    return 0;
}
