// Every address here is a constant: no register is needed to reach the state.
#include "case.h"

#define AT(offset) (SEM_STATE + offset)

        .text
        .globl  sem_run, sem_save
sem_run:
        pushq   %rbx
        pushq   %rbp
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        movq    %rsp, AT(SEM_HOST_SP)
        .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        movups  AT(SEM_VEC) + 16 * \n, %xmm\n
        .endr
        pushq   AT(SEM_FLAGS)
        popfq
        movq    AT(SEM_GPR) + 0, %rax
        movq    AT(SEM_GPR) + 8, %rcx
        movq    AT(SEM_GPR) + 16, %rdx
        movq    AT(SEM_GPR) + 24, %rbx
        movq    AT(SEM_GPR) + 32, %rsp
        movq    AT(SEM_GPR) + 40, %rbp
        movq    AT(SEM_GPR) + 48, %rsi
        movq    AT(SEM_GPR) + 56, %rdi
        .irp n, 8, 9, 10, 11, 12, 13, 14, 15
        movq    AT(SEM_GPR) + 8 * \n, %r\n
        .endr
        jmpq    *AT(SEM_ENTRY)

sem_save:
        movq    %rax, AT(SEM_GPR) + 0
        movq    %rcx, AT(SEM_GPR) + 8
        movq    %rdx, AT(SEM_GPR) + 16
        movq    %rbx, AT(SEM_GPR) + 24
        movq    %rsp, AT(SEM_GPR) + 32
        movq    %rbp, AT(SEM_GPR) + 40
        movq    %rsi, AT(SEM_GPR) + 48
        movq    %rdi, AT(SEM_GPR) + 56
        .irp n, 8, 9, 10, 11, 12, 13, 14, 15
        movq    %r\n, AT(SEM_GPR) + 8 * \n
        .endr
        movq    AT(SEM_HOST_SP), %rsp
        pushfq
        popq    AT(SEM_FLAGS)
        .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        movups  %xmm\n, AT(SEM_VEC) + 16 * \n
        .endr
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbp
        popq    %rbx
        retq

        .section .note.GNU-stack, "", @progbits
