// The grammar of the description language (lemon -c). It builds the generic tree of mdc.h; what each object's
// fields mean is listed in gen/README.md. There are no conflicts, and there must be none.
//
// Every keyword falls back to ID, so that `select`, `op` or `word` remain usable as names. That works only in
// uncompressed tables (lemon -c): compressed ones let a default reduction win over the fallback, and a list
// then swallows the next declaration.
%name Md
%token_type {Tok}
%default_type {Node *}
%extra_argument {Mdc *m}
%include {
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "mdc.h"
#define PUT(o, key, v) md_put(m, o, key, v)
#define OR_EMPTY(l) ((l) ? (l) : md_list(m))
}
%syntax_error {
    m->failed = true;
    const char *due = NULL; // the one sign that may stand here, if there is only one
    int choices = 0;
    for (int code = 1; code < YYNTOKEN; code++) {
        if (yy_find_shift_action((YYCODETYPE)code, yypParser->yytos->stateno) == YY_ERROR_ACTION) continue;
        choices++;
        due = mdc_sign(code);
    }
    if (yymajor == 0)
        mdc_error(m, TOKEN.line, TOKEN.col, "the text ends inside a declaration");
    else if (mdc_unsigned(yymajor))
        mdc_error(m, TOKEN.line, TOKEN.col, "'%.*s' does not say its sign: write '%.*su' or '%.*ss'", TOKEN.len, TOKEN.s,
                  TOKEN.len, TOKEN.s, TOKEN.len, TOKEN.s);
    else if (TOKEN.col == 1 && mdc_opens_decl(yymajor))
        mdc_error(m, TOKEN.line, TOKEN.col, "'%.*s' opens a declaration inside another: a '}' is missing above",
                  TOKEN.len, TOKEN.s);
    else if (choices == 1 && due)
        mdc_error(m, TOKEN.line, TOKEN.col, "unexpected '%.*s': '%s' belongs here", TOKEN.len, TOKEN.s, due);
    else
        mdc_error(m, TOKEN.line, TOKEN.col, "unexpected '%.*s'", TOKEN.len, TOKEN.s);
}
%stack_size 300
%stack_overflow {
    m->failed = true;
    mdc_error(m, m->last.line, m->last.col, "nested too deeply");
}
%fallback ID ABI AFTER ASM BEFORE BYTE CLASS CLOBBERS COND COST CPU DEARER DECODE EARLY ENCODE EXCEPT EXPAND FEATURE FILE_ FLAGS
  FN FOR FORM FORMAT HOLD IMM IMPLIES IN INCLUDE INOUT INST ISA LET MOVES NAMES OP OPERAND OUT PROVES PSEUDO REACH
  REG RELAX RELOC REQUIRES REWRITE ROLES RULE SELECT SEM SHORT SLEB STAMP TABLE TEMPLATE TRAP TYPE ULEB
  UNSUPPORTED UNTIE VALUE VIEW WHEN WORD.
%right QUEST COLON.
%left OROR.
%left ANDAND.
%left BAR.
%left XOR.
%left AND.
%nonassoc EQEQ NE.
%nonassoc LTU LTS LEU LES.
%left CAT.
%left SHL SHRU SHRS.
%left PLUS MINUS.
%left STAR DIVU DIVS REMU REMS.
%right TILDE BANG NEG.

start ::= tops.
tops ::= .
tops ::= tops decl(D). { md_push(m, m->decls, D); }
decls(A) ::= . { A = md_list(m); }
decls(A) ::= decls(B) decl(C). { A = md_push(m, B, C); }

// ---- small lists ----------------------------------------------------------------------------------------
%type dotted {Tok}
%type numid {Node *}
dotted(A) ::= ID(B). { A = B; }
dotted(A) ::= dotted(B) DOT ID(C). { A = md_join(m, B, C); }
words(A) ::= word(B). { A = md_push(m, md_list(m), B); }
words(A) ::= words(B) word(C). { A = md_push(m, B, C); }
word(A) ::= dotted(B). { A = md_name(m, B); }
word(A) ::= NUM(B). { A = md_number(m, B, false); }
word(A) ::= MINUS NUM(B). { A = md_number(m, B, true); }
word(A) ::= STR(B). { A = md_string(m, B); }
word(A) ::= dotted(B) DOTS dotted(C).
  { A = PUT(PUT(md_obj(m, "range", B), "lo", md_text(m, B)), "hi", md_text(m, C)); }
word(A) ::= NUM(B) DOTS NUM(C).
  { A = PUT(PUT(md_obj(m, "range", B), "lo", md_num(m, B, false)), "hi", md_num(m, C, false)); }
word(A) ::= dotted(B) SLASH dotted(C).
  { A = PUT(PUT(md_obj(m, "alt", B), "a", md_text(m, B)), "b", md_text(m, C)); }
ids(A) ::= ID(B). { A = md_push(m, md_list(m), md_name(m, B)); }
ids(A) ::= ids(B) ID(C). { A = md_push(m, B, md_name(m, C)); }
commaids(A) ::= ID(B). { A = md_push(m, md_list(m), md_name(m, B)); }
commaids(A) ::= commaids(B) COMMA ID(C). { A = md_push(m, B, md_name(m, C)); }
regs(A) ::= regitem(B). { A = md_push(m, md_list(m), B); }
regs(A) ::= regs(B) regitem(C). { A = md_push(m, B, C); }
regitem(A) ::= ID(B). { A = md_name(m, B); }
regitem(A) ::= ID(B) DOTS ID(C).
  { A = PUT(PUT(md_obj(m, "range", B), "lo", md_text(m, B)), "hi", md_text(m, C)); }
settings(A) ::= . { A = md_list(m); }
settings(A) ::= settings(B) words(C) SEMI. { A = md_push(m, B, C); }
numid(A) ::= NUM(B). { A = md_number(m, B, false); }
numid(A) ::= ID(B). { A = md_name(m, B); }
kind(A) ::= dotted(B). { A = md_name(m, B); }
kind(A) ::= ID(B) LT numid(C) GT. { A = PUT(PUT(md_obj(m, "sized", B), "name", md_text(m, B)), "size", C); }
kind(A) ::= NUM(B). { A = md_number(m, B, false); }

// ---- the IR -------------------------------------------------------------------------------------------------
decl(A) ::= ISA ID(B) LB settings(C) RB. { A = PUT(md_decl(m, "isa", B), "settings", C); }
decl(A) ::= INCLUDE STR(B). { A = PUT(md_decl(m, "include", B), "path", md_string(m, B)); }
decl(A) ::= FEATURE ID(B) implies(C) traits(T). {
    A = PUT(PUT(md_decl(m, "feature", B), "implies", C), "settings", T);
}
implies(A) ::= . { A = md_list(m); }
implies(A) ::= IMPLIES commaids(B). { A = B; }
traits(A) ::= . { A = md_list(m); }
traits(A) ::= LB settings(B) RB. { A = B; }
decl(A) ::= TYPE(K) ids(B) COLON ID(C).
  { A = PUT(PUT(md_decl(m, "type", K), "names", B), "of", md_text(m, C)); }
decl(A) ::= OP ID(B) attrs(T) LP params(C) RP rets(D) forclause(E) LB opclauses(F) RB. {
    A = PUT(PUT(PUT(md_decl(m, "op", B), "attrs", T), "params", C), "results", D);
    PUT(PUT(A, "for", E), "clauses", F);
}
attrs(A) ::= . { A = md_list(m); }
attrs(A) ::= LS paramlist(B) RS. { A = B; }
rets(A) ::= . { A = md_list(m); }
rets(A) ::= TO retlist(B). { A = B; }
retlist(A) ::= kind(B). { A = md_push(m, md_list(m), B); }
retlist(A) ::= retlist(B) COMMA kind(C). { A = md_push(m, B, C); }
forclause(A) ::= . { A = md_list(m); }
forclause(A) ::= FOR forlist(B). { A = B; }
forlist(A) ::= foritem(B). { A = md_push(m, md_list(m), B); }
forlist(A) ::= forlist(B) COMMA foritem(C). { A = md_push(m, B, C); }
foritem(A) ::= ID(B) IN words(C) guard(G). {
    A = PUT(PUT(PUT(md_obj(m, "for", B), "name", md_text(m, B)), "in", C), "when", G);
}
opclauses(A) ::= . { A = md_list(m); }
opclauses(A) ::= opclauses(B) words(C) SEMI(S). { A = md_push(m, B, PUT(md_obj(m, "props", S), "words", C)); }
opclauses(A) ::= opclauses(B) WHEN(K) expr(C) SEMI.
  { A = md_push(m, B, PUT(md_obj(m, "when", K), "value", C)); }
opclauses(A) ::= opclauses(B) SEM(K) expr(C) SEMI.
  { A = md_push(m, B, PUT(md_obj(m, "sem", K), "value", C)); }
opclauses(A) ::= opclauses(B) TRAP(K) ID(N) WHEN expr(C) SEMI.
  { A = md_push(m, B, PUT(PUT(md_obj(m, "trap", K), "code", md_text(m, N)), "when", C)); }
// an enumeration of the IR, each meaning over x and y, or a machine's conditions, over its flags
decl(A) ::= COND ID(B) COLON NUM(W) LB conditems(C) RB. {
    A = PUT(PUT(md_decl(m, "cond", B), "width", md_num(m, W, false)), "items", C);
}
conditems(A) ::= . { A = md_list(m); }
conditems(A) ::= conditems(B) ids(C) ASSIGN NUM(N) guard(E) SEMI. {
    Node *item = PUT(PUT(md_obj(m, "item", N), "names", C), "value", md_num(m, N, false));
    A = md_push(m, B, PUT(item, "when", E));
}

// ---- registers ----------------------------------------------------------------------------------------------
decl(A) ::= FILE_ ID(B) COLON NUM(C) ID NUM(D) LB regclauses(E) RB. {
    A = PUT(PUT(md_decl(m, "file", B), "count", md_num(m, C, false)), "width", md_num(m, D, false));
    PUT(A, "clauses", E);
}
decl(A) ::= VALUE ID(B) COLON NUM(D) ASSIGN NUM(E).
  { A = PUT(PUT(md_decl(m, "value", B), "width", md_num(m, D, false)), "number", md_num(m, E, false)); }
decl(A) ::= REG ID(B) COLON NUM(D) LB regclauses(E) RB.
  { A = PUT(PUT(md_decl(m, "reg", B), "width", md_num(m, D, false)), "clauses", E); }
decl(A) ::= REG ID(B) COLON NUM(D).
  { A = PUT(PUT(md_decl(m, "reg", B), "width", md_num(m, D, false)), "clauses", md_list(m)); }
regclauses(A) ::= . { A = md_list(m); }
regclauses(A) ::= regclauses(B) regclause(C) SEMI. { A = md_push(m, B, C); }
regclause(A) ::= NAMES(K) regs(B). { A = PUT(md_obj(m, "names", K), "regs", B); }
regclause(A) ::= VIEW ID(B) ASSIGN LS NUM(H) COLON NUM(L) RS ID(W) viewnames(R). {
    A = PUT(PUT(md_obj(m, "view", B), "name", md_text(m, B)), "hi", md_num(m, H, false));
    PUT(PUT(PUT(A, "lo", md_num(m, L, false)), "write", md_text(m, W)), "regs", R);
}
viewnames(A) ::= . { A = md_list(m); }
viewnames(A) ::= NAMES regs(B). { A = B; }
regclause(A) ::= ID(B) ASSIGN NUM(C).
  { A = PUT(PUT(md_obj(m, "const", B), "name", md_text(m, B)), "value", md_num(m, C, false)); }
regclause(A) ::= words(B). { A = PUT(md_obj(m, "setting", (Tok){"", 0, 0, 0}), "words", B); }
decl(A) ::= CLASS ID(B) ASSIGN classitems(C) except(D).
  { A = PUT(PUT(md_decl(m, "class", B), "items", C), "except", D); }
except(A) ::= . { A = md_list(m); }
except(A) ::= EXCEPT regs(B). { A = B; }
classitems(A) ::= classitem(B). { A = md_push(m, md_list(m), B); }
classitems(A) ::= classitems(B) COMMA classitem(C). { A = md_push(m, B, C); }
classitem(A) ::= regitem(B). { A = B; }
classitem(A) ::= ID(B) AT NUM(C).
  { A = PUT(PUT(md_obj(m, "at", B), "name", md_text(m, B)), "hw", md_num(m, C, false)); }
decl(A) ::= HOLD(K) ids(B) IN ID(C) ID(D) ID(E). {
    A = PUT(PUT(md_decl(m, "hold", K), "types", B), "class", md_name(m, C));
    PUT(PUT(A, "what", md_text(m, D)), "upper", md_name(m, E));
}
decl(A) ::= FLAGS ID(B) LB ids(C) RB. { A = PUT(md_decl(m, "flags", B), "bits", C); }
decl(A) ::= AFTER ID(B) LP commaids(C) RP PROVES LB provesitems(D) RB.
  { A = PUT(PUT(md_decl(m, "after", B), "params", C), "items", D); }
provesitems(A) ::= . { A = md_list(m); }
provesitems(A) ::= provesitems(B) ID(C) COLON expr(E) SEMI.
  { A = md_push(m, B, PUT(PUT(md_obj(m, "item", C), "name", md_text(m, C)), "when", E)); }
decl(A) ::= ROLES(K) LB settings(C) RB. { A = PUT(md_decl(m, "roles", K), "settings", C); }
decl(A) ::= MOVES ID(B) LB settings(C) RB. { A = PUT(md_decl(m, "moves", B), "settings", C); }

// ---- immediates, operands, formats --------------------------------------------------------------------------
decl(A) ::= IMM ID(B) LP params(C) RP guard(G) ASSIGN expr(D) immopt(E). {
    A = PUT(PUT(PUT(md_decl(m, "imm", B), "params", C), "when", G), "value", D);
    PUT(A, "names", E);
}
immopt(A) ::= . { A = md_list(m); }
immopt(A) ::= NAMES words(B). { A = B; } // how each value of the field is written
guard(A) ::= . { A = md_null(m); }
guard(A) ::= WHEN expr(B). { A = B; }
decl(A) ::= OPERAND ID(B) TO kind(T) LB forms(C) RB.
  { A = PUT(PUT(md_decl(m, "operand", B), "type", T), "forms", C); }
forms(A) ::= . { A = md_list(m); }
forms(A) ::= forms(B) FORM ID(N) LP params(C) RP ASSIGN expr(D) guard(G) formclauses(E) SEMI. {
    Node *f = PUT(PUT(md_obj(m, "form", N), "name", md_text(m, N)), "params", C);
    A = md_push(m, B, PUT(PUT(PUT(f, "value", D), "when", G), "clauses", E));
}
formclauses(A) ::= . { A = md_list(m); }
formclauses(A) ::= formclauses(B) formclause(C). { A = md_push(m, B, C); }
formclause(A) ::= ASM(K) STR(B) guard(G).
  { A = PUT(PUT(md_obj(m, "asm", K), "text", md_string(m, B)), "when", G); }
formclause(A) ::= ENCODE(K) postfix(B) guard(G). { A = PUT(PUT(md_obj(m, "encode", K), "call", B), "when", G); }
decl(A) ::= FORMAT ID(B) COLON NUM(C) LB fields(D) RB.
  { A = PUT(PUT(md_decl(m, "format", B), "width", md_num(m, C, false)), "fields", D); }
decl(A) ::= FORMAT ID(B) LP params(C) RP LB groups(D) RB.
  { A = PUT(PUT(md_decl(m, "varformat", B), "params", C), "groups", D); }
fields(A) ::= . { A = md_list(m); }
fields(A) ::= fields(B) field(C). { A = md_push(m, B, C); }
field(A) ::= ID(B) COLON NUM(C).
  { A = PUT(PUT(md_obj(m, "field", B), "name", md_text(m, B)), "width", md_num(m, C, false)); }
field(A) ::= NUM(B) COLON NUM(C).
  { A = PUT(PUT(md_obj(m, "bits", B), "value", md_num(m, B, false)), "width", md_num(m, C, false)); }
field(A) ::= ID(B) LS NUM(C) RS. {
    A = PUT(PUT(md_obj(m, "part", B), "name", md_text(m, B)), "hi", md_num(m, C, false));
    PUT(A, "lo", md_num(m, C, false));
}
field(A) ::= ID(B) LS NUM(C) COLON NUM(D) RS. {
    A = PUT(PUT(md_obj(m, "part", B), "name", md_text(m, B)), "hi", md_num(m, C, false));
    PUT(A, "lo", md_num(m, D, false));
}
groups(A) ::= . { A = md_list(m); }
groups(A) ::= groups(B) BYTE(K) pieces(C) guard(G) SEMI.
  { A = md_push(m, B, PUT(PUT(md_obj(m, "byte", K), "pieces", C), "when", G)); }
groups(A) ::= groups(B) WORD(K) pieces(C) guard(G) SEMI.
  { A = md_push(m, B, PUT(PUT(md_obj(m, "word", K), "pieces", C), "when", G)); }
groups(A) ::= groups(B) ULEB(K) postfix(C) guard(G) SEMI.
  { A = md_push(m, B, PUT(PUT(md_obj(m, "uleb", K), "value", C), "when", G)); }
groups(A) ::= groups(B) SLEB(K) postfix(C) guard(G) SEMI.
  { A = md_push(m, B, PUT(PUT(md_obj(m, "sleb", K), "value", C), "when", G)); }
groups(A) ::= groups(B) LET(K) ID(C) ASSIGN expr(D) SEMI.
  { A = md_push(m, B, PUT(PUT(md_obj(m, "let", K), "name", md_text(m, C)), "value", D)); }
pieces(A) ::= piece(B). { A = md_push(m, md_list(m), B); }
pieces(A) ::= pieces(B) COMMA piece(C). { A = md_push(m, B, C); }
piece(A) ::= postfix(B). { A = PUT(PUT(md_obj(m, "piece", (Tok){"", 0, 0, 0}), "value", B), "width", md_null(m)); }
piece(A) ::= postfix(B) COLON(K) NUM(C).
  { A = PUT(PUT(md_obj(m, "piece", K), "value", B), "width", md_num(m, C, false)); }

// ---- instructions -------------------------------------------------------------------------------------------
decl(A) ::= INST ID(B) LP params(C) RP LB clauses(D) RB.
  { A = PUT(PUT(md_decl(m, "inst", B), "params", C), "clauses", D); }
decl(A) ::= SHORT ID(B) LP params(C) RP ASSIGN postfix(T) guard(G) LB clauses(D) RB. {
    A = PUT(PUT(PUT(md_decl(m, "short", B), "params", C), "of", T), "when", G);
    PUT(A, "clauses", D);
}
decl(A) ::= PSEUDO ID(B) LP params(C) RP ASSIGN postfix(T) guard(G) LB clauses(D) RB. {
    A = PUT(PUT(PUT(md_decl(m, "pseudo", B), "params", C), "of", T), "when", G);
    PUT(A, "clauses", D);
}
decl(A) ::= UNTIE ID(P) ASSIGN ID(Q). { A = PUT(md_decl(m, "untie", P), "to", md_name(m, Q)); }
params(A) ::= . { A = md_list(m); }
params(A) ::= paramlist(B). { A = B; }
paramlist(A) ::= param(B). { A = md_push(m, md_list(m), B); }
paramlist(A) ::= paramlist(B) COMMA param(C). { A = md_push(m, B, C); }
param(A) ::= ID(B). { A = PUT(md_obj(m, "param", B), "name", md_text(m, B)); }
param(A) ::= ID(B) COLON role(R) kind(C). {
    A = PUT(PUT(md_obj(m, "param", B), "name", md_text(m, B)), "role", R);
    PUT(A, "kind", C);
}
role(A) ::= . { A = md_word(m, "in"); }
role(A) ::= OUT. { A = md_word(m, "out"); }
role(A) ::= OUT EARLY. { A = md_word(m, "early"); }
role(A) ::= INOUT. { A = md_word(m, "inout"); }
clauses(A) ::= . { A = md_list(m); }
clauses(A) ::= clauses(B) clause(C). { A = md_push(m, B, C); }
clause(A) ::= ASM(K) STR(B) guard(G).
  { A = PUT(PUT(md_obj(m, "asm", K), "text", md_string(m, B)), "when", G); }
clause(A) ::= DECODE(K) ID(B). { A = PUT(md_obj(m, "decode", K), "name", md_text(m, B)); }
clause(A) ::= ENCODE(K) postfix(B). { A = PUT(md_obj(m, "encode", K), "call", B); }
clause(A) ::= SEM(K) stmt(B). { A = PUT(md_obj(m, "sem", K), "stmts", md_push(m, md_list(m), B)); }
clause(A) ::= SEM(K) LB stmts(B) RB. { A = PUT(md_obj(m, "sem", K), "stmts", B); }
clause(A) ::= SELECT(K) words(B). { A = PUT(md_obj(m, "select", K), "words", B); }
clause(A) ::= COST(K) ID(B). { A = PUT(md_obj(m, "cost", K), "name", md_name(m, B)); }
clause(A) ::= DEARER(K) STR(B). { A = PUT(md_obj(m, "dearer", K), "reason", md_string(m, B)); }
clause(A) ::= REQUIRES(K) commaids(B). { A = PUT(md_obj(m, "requires", K), "names", B); }
clause(A) ::= CLOBBERS(K) regs(B). { A = PUT(md_obj(m, "clobbers", K), "regs", B); }
clause(A) ::= TRAP(K) ID(B) WHEN expr(C).
  { A = PUT(PUT(md_obj(m, "trap", K), "code", md_text(m, B)), "when", C); }
stmts(A) ::= . { A = md_list(m); }
stmts(A) ::= stmts(B) stmt(C) SEMI. { A = md_push(m, B, C); }
stmts(A) ::= stmts(B) IF(K) LP expr(C) RP LB stmts(D) RB.
  { A = md_push(m, B, PUT(PUT(PUT(md_obj(m, "if", K), "cond", C), "then", D), "else", md_list(m))); }
stmts(A) ::= stmts(B) IF(K) LP expr(C) RP LB stmts(D) RB ELSE LB stmts(E) RB.
  { A = md_push(m, B, PUT(PUT(PUT(md_obj(m, "if", K), "cond", C), "then", D), "else", E)); }
stmt(A) ::= postfix(B) ASSIGN(K) expr(C). { A = PUT(PUT(md_obj(m, "assign", K), "to", B), "value", C); }
stmt(A) ::= LET ID(B) ASSIGN expr(C). { A = PUT(PUT(md_obj(m, "let", B), "name", md_text(m, B)), "value", C); }
stmt(A) ::= postfix(B). { A = PUT(md_obj(m, "do", (Tok){"", 0, 0, 0}), "value", B); }

// ---- rules: patterns are expressions, an argument may be `name: kind` ------------------------------------------
decl(A) ::= RULE ID(N) COLON expr(P) rguard(G) rreq(R) ARROW result(Q) rbefore(B) rdearer(D). {
    A = PUT(PUT(PUT(PUT(PUT(md_decl(m, "rule", N), "pattern", P), "if", G), "requires", R), "result", Q), "before", B);
    PUT(A, "dearer", D);
}
decl(A) ::= EXPAND ID(N) COLON expr(P) rguard(G) ARROW result(Q) rbefore(B).
  { A = PUT(PUT(PUT(PUT(md_decl(m, "expand", N), "pattern", P), "if", G), "result", Q), "before", B); }
decl(A) ::= REWRITE ID(N) COLON expr(P) rguard(G) ARROW result(Q) rbefore(B).
  { A = PUT(PUT(PUT(PUT(md_decl(m, "rewrite", N), "pattern", P), "if", G), "result", Q), "before", B); }
decl(A) ::= UNSUPPORTED dotted(B) STR(C). { A = PUT(md_decl(m, "unsupported", B), "reason", md_string(m, C)); }
rguard(A) ::= . { A = md_null(m); }
rguard(A) ::= IF expr(B). { A = B; }
rreq(A) ::= . { A = md_list(m); }
rreq(A) ::= REQUIRES commaids(B). { A = B; }
rdearer(A) ::= . { A = md_null(m); }
rdearer(A) ::= DEARER(K) STR(S). { A = PUT(md_obj(m, "dearer", K), "reason", md_string(m, S)); }
rbefore(A) ::= . { A = md_list(m); }
rbefore(A) ::= BEFORE commaids(B). { A = B; }
result(A) ::= expr(B). { A = B; }
result(A) ::= LB(K) rstmts(B) RB. { A = PUT(md_obj(m, "seq", K), "stmts", B); }
result(A) ::= LB(K) rstmts(B) expr(C) RB.
  { A = PUT(PUT(md_obj(m, "seq", K), "stmts", B), "value", C); }
rstmts(A) ::= . { A = md_list(m); }
rstmts(A) ::= rstmts(B) ID(C) ASSIGN expr(D) SEMI.
  { A = md_push(m, B, PUT(PUT(md_obj(m, "let", C), "name", md_text(m, C)), "value", D)); }
rstmts(A) ::= rstmts(B) expr(D) SEMI(S). { A = md_push(m, B, PUT(md_obj(m, "do", S), "value", D)); }

// ---- functions, templates, tables, settings ---------------------------------------------------------------------
decl(A) ::= FN ID(B) LP params(C) RP TO kind(T) ASSIGN expr(D).
  { A = PUT(PUT(PUT(md_decl(m, "fn", B), "params", C), "type", T), "value", D); }
decl(A) ::= TEMPLATE ID(B) LP params(C) RP forclause(E) LB decls(D) RB.
  { A = PUT(PUT(PUT(md_decl(m, "template", B), "params", C), "for", E), "body", D); }
decl(A) ::= STAMP ID(B) COLON rows(C). { A = PUT(md_decl(m, "stamp", B), "rows", C); }
rows(A) ::= words(B) SEMI. { A = md_push(m, md_list(m), B); }
rows(A) ::= rows(B) words(C) SEMI. { A = md_push(m, B, C); }
decl(A) ::= TABLE ID(B) LB settings(C) RB. { A = PUT(md_decl(m, "table", B), "rows", C); }
decl(A) ::= ABI ID(B) LB settings(C) RB. { A = PUT(md_decl(m, "abi", B), "settings", C); }
decl(A) ::= CPU ID(B) LB settings(C) RB. { A = PUT(md_decl(m, "cpu", B), "settings", C); }
decl(A) ::= RELOC ID(B) ASSIGN NUM(C) COLON spots(D).
  { A = PUT(PUT(md_decl(m, "reloc", B), "number", md_num(m, C, false)), "spots", D); }
spots(A) ::= spot(B). { A = md_push(m, md_list(m), B); }
spots(A) ::= spots(B) COMMA spot(C). { A = md_push(m, B, C); }
spot(A) ::= relocplace(D) ASSIGN(K) expr(E).
  { A = PUT(PUT(PUT(md_obj(m, "spot", K), "place", D), "value", E), "at", md_null(m)); }
spot(A) ::= relocplace(D) AT NUM(N) ASSIGN(K) expr(E).
  { A = PUT(PUT(PUT(md_obj(m, "spot", K), "place", D), "value", E), "at", md_num(m, N, false)); }
relocplace(A) ::= dotted(B). { A = md_name(m, B); }
relocplace(A) ::= ID(B) NUM(C). { A = PUT(PUT(md_obj(m, "sized", B), "name", md_text(m, B)), "size", md_number(m, C, false)); }
decl(A) ::= RELAX ID(B) LP params(C) RP LB relaxrows(D) RB.
  { A = PUT(PUT(md_decl(m, "relax", B), "params", C), "rows", D); }
relaxrows(A) ::= . { A = md_list(m); }
relaxrows(A) ::= relaxrows(B) REACH(K) expr(L) DOTS expr(H) ARROW result(D) SEMI.
  { A = md_push(m, B, PUT(PUT(PUT(md_obj(m, "reach", K), "low", L), "high", H), "result", D)); }
relaxrows(A) ::= relaxrows(B) ELSE(K) ARROW result(D) SEMI.
  { A = md_push(m, B, PUT(md_obj(m, "else", K), "result", D)); }

// ---- expressions ---------------------------------------------------------------------------------------------
expr(A) ::= expr(B) QUEST(K) expr(C) COLON expr(D).
  { A = PUT(PUT(PUT(md_obj(m, "cond", K), "c", B), "a", C), "b", D); }
expr(A) ::= expr(B) OROR(K) expr(C). { A = md_bin(m, "lor", K, B, C); }
expr(A) ::= expr(B) ANDAND(K) expr(C). { A = md_bin(m, "land", K, B, C); }
expr(A) ::= expr(B) BAR(K) expr(C). { A = md_bin(m, "or", K, B, C); }
expr(A) ::= expr(B) XOR(K) expr(C). { A = md_bin(m, "xor", K, B, C); }
expr(A) ::= expr(B) AND(K) expr(C). { A = md_bin(m, "and", K, B, C); }
expr(A) ::= expr(B) EQEQ(K) expr(C). { A = md_bin(m, "eq", K, B, C); }
expr(A) ::= expr(B) NE(K) expr(C). { A = md_bin(m, "ne", K, B, C); }
expr(A) ::= expr(B) LTU(K) expr(C). { A = md_bin(m, "ult", K, B, C); }
expr(A) ::= expr(B) LTS(K) expr(C). { A = md_bin(m, "slt", K, B, C); }
expr(A) ::= expr(B) LEU(K) expr(C). { A = md_bin(m, "ule", K, B, C); }
expr(A) ::= expr(B) LES(K) expr(C). { A = md_bin(m, "sle", K, B, C); }
expr(A) ::= expr(B) CAT(K) expr(C). { A = md_bin(m, "cat", K, B, C); }
expr(A) ::= expr(B) SHL(K) expr(C). { A = md_bin(m, "shl", K, B, C); }
expr(A) ::= expr(B) SHRU(K) expr(C). { A = md_bin(m, "lshr", K, B, C); }
expr(A) ::= expr(B) SHRS(K) expr(C). { A = md_bin(m, "ashr", K, B, C); }
expr(A) ::= expr(B) PLUS(K) expr(C). { A = md_bin(m, "add", K, B, C); }
expr(A) ::= expr(B) MINUS(K) expr(C). { A = md_bin(m, "sub", K, B, C); }
expr(A) ::= expr(B) STAR(K) expr(C). { A = md_bin(m, "mul", K, B, C); }
expr(A) ::= expr(B) DIVU(K) expr(C). { A = md_bin(m, "udiv", K, B, C); }
expr(A) ::= expr(B) DIVS(K) expr(C). { A = md_bin(m, "sdiv", K, B, C); }
expr(A) ::= expr(B) REMU(K) expr(C). { A = md_bin(m, "urem", K, B, C); }
expr(A) ::= expr(B) REMS(K) expr(C). { A = md_bin(m, "srem", K, B, C); }
expr(A) ::= MINUS(K) expr(B). [NEG] { A = md_un(m, "neg", K, B); }
expr(A) ::= TILDE(K) expr(B). { A = md_un(m, "not", K, B); }
expr(A) ::= BANG(K) expr(B). { A = md_un(m, "lnot", K, B); }
expr(A) ::= postfix(B). { A = B; }
postfix(A) ::= NUM(B). { A = md_number(m, B, false); }
postfix(A) ::= STR(B). { A = md_string(m, B); }
postfix(A) ::= ID(B). { A = md_name(m, B); }
postfix(A) ::= LP expr(B) RP. { A = B; }
postfix(A) ::= postfix(B) DOT ID(C). { A = PUT(PUT(md_obj(m, "dot", C), "base", B), "name", md_text(m, C)); }
postfix(A) ::= postfix(B) HASH NUM(C). { A = PUT(PUT(md_obj(m, "nth", C), "base", B), "n", md_num(m, C, false)); }
postfix(A) ::= postfix(B) LP(K) RP. { A = md_call(m, K, B, NULL, NULL); }
postfix(A) ::= postfix(B) LP(K) args(C) RP. { A = md_call(m, K, B, NULL, C); }
postfix(A) ::= postfix(B) LS(K) args(T) RS. { A = md_index(m, K, B, T); }
args(A) ::= arg(B). { A = md_push(m, md_list(m), B); }
args(A) ::= args(B) COMMA arg(C). { A = md_push(m, B, C); }
arg(A) ::= expr(B). { A = B; }
arg(A) ::= ID(B) ASSIGN expr(C).
  { A = PUT(PUT(md_obj(m, "kwarg", B), "name", md_text(m, B)), "value", C); }
// `name: kind` in a pattern, `[hi:lo]` in an index
arg(A) ::= ID(B) COLON bound(C). { A = PUT(PUT(md_obj(m, "typed", B), "of", md_name(m, B)), "kind", C); }
arg(A) ::= NUM(B) COLON bound(C). { A = PUT(PUT(md_obj(m, "typed", B), "of", md_number(m, B, false)), "kind", C); }
bound(A) ::= dotted(B). { A = md_name(m, B); }
bound(A) ::= NUM(B). { A = md_number(m, B, false); }
