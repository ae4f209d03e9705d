// t6 (x31) holds the address of the state: instructions leave it alone, and gp (x3) and tp (x4), which C needs. t5 (x30)
// is needed on the way in and out.
#include "case.h"

        .option norvc
        .text
        .globl  sem_run, sem_save, sem_pad, sem_pad_end, sem_entry, sem_entry_end
sem_run:
        addi    sp, sp, -432
        .irp n, 1, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
        sd      x\n, 8 * (\n - 1)(sp)
        .endr
        .irp n, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
        fsd     f\n, 208 + 8 * \n(sp)
        .endr
        li      t6, SEM_STATE
        sd      sp, SEM_HOST_SP(t6)
        .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        fld     f\n, SEM_VEC + 16 * \n(t6)
        .endr
        .irp n, 1, 2, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29
        ld      x\n, SEM_GPR + 8 * \n(t6)
        .endr
        ld      t5, SEM_ENTRY(t6)
        jr      t5
sem_entry:
        ld      t5, SEM_GPR + 8 * 30(t6)
sem_entry_end:

sem_pad:
        sd      t5, SEM_TEMP(t6)
        auipc   t5, 0
        sd      t5, SEM_PC(t6)
        ld      t5, SEM_SAVE(t6)
        jr      t5
sem_pad_end:

sem_save:
        .irp n, 1, 2, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29
        sd      x\n, SEM_GPR + 8 * \n(t6)
        .endr
        ld      t0, SEM_TEMP(t6)
        sd      t0, SEM_GPR + 8 * 30(t6)
        .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        fsd     f\n, SEM_VEC + 16 * \n(t6)
        .endr
        ld      sp, SEM_HOST_SP(t6)
        .irp n, 1, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
        ld      x\n, 8 * (\n - 1)(sp)
        .endr
        .irp n, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
        fld     f\n, 208 + 8 * \n(sp)
        .endr
        addi    sp, sp, 432
        ret

        .section .note.GNU-stack, "", @progbits
