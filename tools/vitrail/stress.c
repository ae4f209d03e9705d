#include "stress.h"

#include "number.h"

enum { KEY_MAX_REGS = 0x4001, KEY_SEED, KEY_SQUEEZE, KEY_FRAME };

static const struct argp_option stress_options[] = {
    {NULL, 0, NULL, 0, "For testing what is rare in machine code:", 100},
    {"max-regs", KEY_MAX_REGS, "N", 0, "Hand out only N registers of each class where an instruction lets it", 100},
    {"ra-seed", KEY_SEED, "N", 0, "Prefer registers in another order for each N above 0", 100},
    {"squeeze", KEY_SQUEEZE, "N", 0, "Treat constants, displacements and distances as out of range, others for each N",
     100},
    {"frame-pad", KEY_FRAME, "BYTES", 0, "Make every stack frame larger", 100},
    {0},
};

static error_t stress_parse(int key, char *arg, struct argp_state *state) {
    Stress *stress = state->input;
    switch (key) {
    case KEY_MAX_REGS: stress->max_regs = (uint32_t)read_number(state, "--max-regs", arg, UINT32_MAX); return 0;
    case KEY_SEED: stress->seed = read_number(state, "--ra-seed", arg, UINT64_MAX); return 0;
    case KEY_SQUEEZE: stress->squeeze = read_number(state, "--squeeze", arg, UINT64_MAX); return 0;
    case KEY_FRAME: stress->frame = (uint32_t)read_number(state, "--frame-pad", arg, 1 << 28); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

const struct argp stress_argp = {stress_options, stress_parse, NULL, NULL, NULL, NULL, NULL};
