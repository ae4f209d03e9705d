// x28 holds the address of the state: instructions leave it alone. x27 is needed on the way in and out.
#include "case.h"

        .text
        .globl  sem_run, sem_save, sem_pad, sem_pad_end, sem_entry, sem_entry_end
sem_run:
        stp     x29, x30, [sp, #-160]!
        stp     x19, x20, [sp, #16]
        stp     x21, x22, [sp, #32]
        stp     x23, x24, [sp, #48]
        stp     x25, x26, [sp, #64]
        stp     x27, x28, [sp, #80]
        stp     d8, d9, [sp, #96]
        stp     d10, d11, [sp, #112]
        stp     d12, d13, [sp, #128]
        stp     d14, d15, [sp, #144]
        ldr     x28, =SEM_STATE
        mov     x0, sp
        str     x0, [x28, #SEM_HOST_SP]
        .irp n, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
        ldr     q\n, [x28, #SEM_VEC + 16 * \n]
        .endr
        .irp n, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
        ldr     q\n, [x28, #SEM_VEC + 16 * \n]
        .endr
        ldr     x0, [x28, #SEM_FLAGS]
        msr     nzcv, x0
        ldr     x0, [x28, #SEM_SP]
        mov     sp, x0
        .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 29, 30
        ldr     x\n, [x28, #SEM_GPR + 8 * \n]
        .endr
        ldr     x27, [x28, #SEM_ENTRY]
        br      x27
sem_entry:
        ldr     x27, [x28, #SEM_GPR + 8 * 27]
sem_entry_end:

sem_pad:
        str     x27, [x28, #SEM_TEMP]
        adr     x27, .
        str     x27, [x28, #SEM_PC]
        ldr     x27, [x28, #SEM_SAVE]
        br      x27
sem_pad_end:

sem_save:
        .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 29, 30
        str     x\n, [x28, #SEM_GPR + 8 * \n]
        .endr
        ldr     x0, [x28, #SEM_TEMP]
        str     x0, [x28, #SEM_GPR + 8 * 27]
        mov     x0, sp
        str     x0, [x28, #SEM_SP]
        mrs     x0, nzcv
        str     x0, [x28, #SEM_FLAGS]
        .irp n, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
        str     q\n, [x28, #SEM_VEC + 16 * \n]
        .endr
        .irp n, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
        str     q\n, [x28, #SEM_VEC + 16 * \n]
        .endr
        ldr     x0, [x28, #SEM_HOST_SP]
        mov     sp, x0
        ldp     d14, d15, [sp, #144]
        ldp     d12, d13, [sp, #128]
        ldp     d10, d11, [sp, #112]
        ldp     d8, d9, [sp, #96]
        ldp     x27, x28, [sp, #80]
        ldp     x25, x26, [sp, #64]
        ldp     x23, x24, [sp, #48]
        ldp     x21, x22, [sp, #32]
        ldp     x19, x20, [sp, #16]
        ldp     x29, x30, [sp], #160
        ret

        .section .note.GNU-stack, "", @progbits
