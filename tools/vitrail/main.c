// The `vitrail` program: finds the subcommand and hands over.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "vitrail.h"

// One line per subcommand, in the order a newcomer meets them.
static const Command commands[] = {
    {"run", cmd_run, "compile a module and run a function of it, or interpret it"},
    {"build", cmd_build, "compile to an object file, or with --exe to an executable"},
    {"asm", cmd_asm, "assemble bytecode text (.vita) to a module (.vitbc)"},
    {"dis", cmd_dis, "disassemble a module, an object file or machine code"},
    {"verify", cmd_verify, "check modules as a loader does, run nothing"},
    {"test", cmd_test, "run file tests (.clif)"},
    {"show", cmd_show, "show a function at any stage on its way to machine code"},
    {"bench", cmd_bench, "time each phase of compiling, function by function"},
    {"targets", cmd_targets, "list the machines, and what each does with every opcode"},
    {NULL, NULL, NULL},
};

// What was printed must have arrived, also where argp ends the program.
static void check_output(void) {
    if (!ferror(stdout) && fflush(stdout) == 0) return;
    fprintf(stderr, "vitrail: error: standard output: %s\n", strerror(errno));
    _exit(EXIT_INPUT);
}

// A file that is opened must not become standard output: where that is closed, writing to it fails.
static void hold_output(void) {
    if (fcntl(STDOUT_FILENO, F_GETFD) != -1) return;
    int null = open("/dev/null", O_RDONLY);
    if (null < 0) return;
    dup2(null, STDOUT_FILENO);
    if (null != STDOUT_FILENO) close(null);
}

static void print_help(FILE *out) {
    fputs("Usage: vitrail COMMAND [ARGUMENT...]\n"
          "Compiles Vitte bytecode (.vitbc, .vita) and Cranelift IR text (.clif) to machine code, and shows how.\n"
          "\n"
          "Commands:\n",
          out);
    for (const Command *c = commands; c->name; c++) fprintf(out, "  %-8s %s\n", c->name, c->summary);
    fputs("\n"
          "`vitrail COMMAND --help` describes each, `vitrail --version` tells the version. What kind of file an input "
          "is, its content tells.\n"
          "Exit status: 0 success, 1 the input is at fault (or a program trapped), 2 wrong usage.\n",
          out);
}

int main(int argc, char **argv) {
    hold_output();
    atexit(check_output);
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
        print_help(stdout);
        return 0;
    }
    if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
        printf("vitrail %s\n", vtr_version());
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
