	.section .rodata
	.globl zero
	.balign 4
zero:
	.long 0
	.section .note.GNU-stack, "", %progbits
