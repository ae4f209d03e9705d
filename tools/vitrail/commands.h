// The subcommands of `vitrail`. Each stands in cmd_NAME.c and parses its own arguments with argp; main.c holds the
// table. Exit status: 0 success, 1 the input's fault, 2 usage.
#ifndef VITRAIL_COMMANDS_H
#define VITRAIL_COMMANDS_H

enum { EXIT_INPUT = 1, EXIT_USAGE = 2 };

typedef struct Command {
    const char *name;
    int (*run)(int argc, char **argv); // argv[0] is "vitrail NAME"
    const char *summary;               // one line for `vitrail --help`
} Command;

int cmd_run(int argc, char **argv);
int cmd_build(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_asm(int argc, char **argv);
int cmd_dis(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_test(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_targets(int argc, char **argv);

#endif
