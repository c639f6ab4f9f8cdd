/* One entry for each of the processor's 32 exceptions; none of them returns. */
	.text
	.altmacro
	.macro entry number
	.balign 16
	/* Exceptions 8, 10 to 14, 17, 21, 29 and 30 push an error code by themselves. */
	.if (0x60227d00 >> \number) & 1
	.else
	pushq $0
	.endif
	pushq $\number
	jmp to_c
	.endm

	.globl trap_entries
	.balign 16
trap_entries:
	.set number, 0
	.rept 32
	entry %number
	.set number, number + 1
	.endr

to_c:
	popq %rdi
	popq %rsi
	movq (%rsp), %rdx /* where it happened */
	andq $-16, %rsp
	call handle_trap

	.section .note.GNU-stack, "", @progbits
