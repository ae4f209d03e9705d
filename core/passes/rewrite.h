// What the generated rules (rewrite.c, from md/rewrite.md and md/expand.md) match and build with.
//
// A rule looks at instruction i and what its operands are made of; when it applies, it builds its result in front of i,
// gives the results of i new names and takes i out. Values that only i used die later (pass_dce).
#ifndef VTR_PASSES_REWRITE_H
#define VTR_PASSES_REWRITE_H

#include "ir_build.h"
#include "passes/magic.h"
#include "passes/pipeline.h"

typedef struct Rewriter {
    Func *f;
    Pass *pass;
    Builder b;   // not at any block: rw_put() places what it makes
    Inst before; // the instruction being rewritten
    Inst first;  // the first instruction built for it, or NO_INST
    bool must;   // expanding: fuel does not count
} Rewriter;

// Generated: applies the first rule that matches i. False when none does.
bool rewrite_inst(Rewriter *r, Inst i);
bool expand_inst(Rewriter *r, Inst i);

Rewriter rw_new(Pass *p, bool must);
// Called once a rule has matched: burns fuel. False = leave i alone.
bool rw_begin(Rewriter *r, Inst i);
// Places what was just built in front of i.
Value rw_put(Rewriter *r, Value v);
Inst rw_put_inst(Rewriter *r, Inst made);
// Result k of i is v from now on.
void rw_replace(Rewriter *r, Inst i, uint32_t k, Value v);
// Takes i out.
void rw_end(Rewriter *r, Inst i);
// A call of a run-time library function whose parameters have the types of args.
Value rw_libcall(Rewriter *r, const char *name, Type type, const Value *args, uint32_t n_args);

// ---- questions -----------------------------------------------------------------------------------

// Is v the integer constant `number`, read in v's width?
bool rw_is_number(const Func *f, Value v, int64_t number);
// Does the target select the opcode, without expanding it? True when there is no target.
bool rw_selects(const Rewriter *r, Op op, Type type);
// Which result of its instruction v is.
static inline unsigned value_result(const Func *f, Value v) { return f->values.v[v.i].num; }
void rw_set_access(Func *f, Inst i, uint8_t code, uint8_t region);

// ---- constant arithmetic on 64-bit numbers ---------------------------------------------------------

static inline uint64_t rw_width(Type t) { return type_bits(t); }
static inline uint64_t rw_ones(Type t) { return UINT64_MAX >> (64 - type_bits(t)); }
static inline uint64_t rw_min(Type t) { return UINT64_C(1) << (type_bits(t) - 1); }
static inline uint64_t rw_max(Type t) { return rw_min(t) - 1; }
static inline uint64_t rw_zext(uint64_t x, Type t) { return x & rw_ones(t); }
static inline uint64_t rw_sext(uint64_t x, Type t) { return (rw_zext(x, t) ^ rw_min(t)) - rw_min(t); }
static inline uint64_t rw_shl(uint64_t x, uint64_t n) { return n < 64 ? x << n : 0; }
static inline uint64_t rw_shr(uint64_t x, uint64_t n) { return n < 64 ? x >> n : 0; }
static inline bool rw_is_pow2(uint64_t x) { return x != 0 && (x & (x - 1)) == 0; }
static inline uint64_t rw_log2(uint64_t x) { return x ? 63 - (unsigned)__builtin_clzll(x) : 0; }

#endif
