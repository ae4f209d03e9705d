// The `vitrail` program: finds the subcommand and hands over.
#include <stdio.h>
#include <string.h>

#include "commands.h"

// One line per subcommand, in the order a newcomer meets them.
static const Command commands[] = {
    {"run", cmd_run, "compile a module and run a function of it, or interpret it"},
    {"build", cmd_build, "compile to an object file, or with --exe to an executable"},
    {"asm", cmd_asm, "assemble bytecode text (.vita) to a module (.vitbc)"},
    {"dis", cmd_dis, "disassemble a module to text that assembles back to the same bytes"},
    {"verify", cmd_verify, "check modules as a loader does, run nothing"},
    {"test", cmd_test, "run file tests (.clif)"},
    {"show", cmd_show, "show a function at any stage on its way to machine code"},
    {"targets", cmd_targets, "list the machines, and what each does with every opcode"},
    {NULL, NULL, NULL},
};

static void print_help(FILE *out) {
    fputs("Usage: vitrail COMMAND [ARGUMENT...]\n"
          "Compiles Vitte bytecode (.vitbc, .vita) and Cranelift IR text (.clif) to machine code, and shows how.\n"
          "\n"
          "Commands:\n",
          out);
    for (const Command *c = commands; c->name; c++) fprintf(out, "  %-8s %s\n", c->name, c->summary);
    fputs("\n"
          "`vitrail COMMAND --help` describes each. What kind of file an input is, its content tells.\n"
          "Exit status: 0 success, 1 the input is at fault (or a program trapped), 2 wrong usage.\n",
          out);
}

int main(int argc, char **argv) {
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
        print_help(stdout);
        return 0;
    }
    for (const Command *c = commands; c->name; c++) {
        if (strcmp(c->name, argv[1]) != 0) continue;
        char name[32]; // what argp prints as the program's name
        snprintf(name, sizeof name, "vitrail %s", c->name);
        argv[1] = name;
        return c->run(argc - 1, argv + 1);
    }
    fprintf(stderr, "vitrail: there is no command '%s'; see 'vitrail --help'\n", argv[1]);
    return EXIT_USAGE;
}
