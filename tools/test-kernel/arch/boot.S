/*
 * From the loader to C. Multiboot and PVH both enter in 32-bit protected mode without paging, with the address of a
 * description of the machine in EBX; what EAX holds tells which of the two it is.
 */
#define MULTIBOOT_HEADER_MAGIC 0x1badb002
#define MULTIBOOT_HEADER_FLAGS 0x3 /* modules at page borders, memory sizes */
#define XEN_ELFNOTE_PHYS32_ENTRY 18

#ifdef CONFIG_KVM_VMM_QEMU
	.section .multiboot, "a"
	.balign 4
	.long MULTIBOOT_HEADER_MAGIC
	.long MULTIBOOT_HEADER_FLAGS
	.long -(MULTIBOOT_HEADER_MAGIC + MULTIBOOT_HEADER_FLAGS)
#endif

	.section .note.Xen, "a", @note
	.balign 4
	.long 4, 8, XEN_ELFNOTE_PHYS32_ENTRY
	.asciz "Xen"
	.quad boot_entry

	.section .boot, "ax"
	.code32
	.globl boot_entry
boot_entry:
	cld
	movl %eax, boot_magic
	movl %ebx, boot_description
	movl $boot_stack_top, %esp

	/* Addresses stay as they are: 4 GiB in pages of 2 MiB, but the first 2 MiB in small pages without page 0. */
	movl $(page_directory_pointers + 3), page_map
	movl $page_directories + 3, %eax
	movl $page_directory_pointers, %edi
	movl $4, %ecx
1:	movl %eax, (%edi)
	addl $4096, %eax
	addl $8, %edi
	loop 1b
	movl $0x83, %eax
	movl $page_directories, %edi
	movl $2048, %ecx
2:	movl %eax, (%edi)
	addl $0x200000, %eax
	addl $8, %edi
	loop 2b
	movl $(first_pages + 3), page_directories
	movl $0x1003, %eax
	movl $(first_pages + 8), %edi
	movl $511, %ecx
3:	movl %eax, (%edi)
	addl $4096, %eax
	addl $8, %edi
	loop 3b

	movl $page_map, %eax
	movl %eax, %cr3
	movl %cr4, %eax
	orl $0x620, %eax /* physical address extension, SSE and its exceptions */
	movl %eax, %cr4
	movl $0xc0000080, %ecx /* EFER */
	rdmsr
	orl $0x100, %eax /* long mode */
	wrmsr
	movl %cr0, %eax
	andl $~0xc, %eax /* no emulated, no switched FPU */
	orl $0x80010002, %eax /* paging, write protection, FPU */
	movl %eax, %cr0
	lgdt descriptor_table_pointer
	ljmp $0x08, $long_mode

	.code64
long_mode:
	movl $0x10, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl %eax, %fs
	movl %eax, %gs
	xorl %ebp, %ebp
	movl boot_magic, %edi
	movl boot_description, %esi
	call setup

	.section .rodata
	.balign 8
descriptor_table:
	.quad 0
	.quad 0x00af9b000000ffff /* 64-bit code */
	.quad 0x00cf93000000ffff /* data */
descriptor_table_end:
descriptor_table_pointer:
	.word descriptor_table_end - descriptor_table - 1
	.quad descriptor_table

	.section .bss
	.balign 4096
page_map: .skip 4096
page_directory_pointers: .skip 4096
page_directories: .skip 4 * 4096
first_pages: .skip 4096
boot_stack: .skip 65536
boot_stack_top:
boot_magic: .skip 4
boot_description: .skip 4

	.section .note.GNU-stack, "", @progbits
