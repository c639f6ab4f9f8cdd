#include "machine.h"
#include "message.h"

/* Ports where QEMU listens; they are ignored where nothing does. */
#define DEBUG_EXIT 0x501 /* isa-debug-exit: QEMU exits with 2 * value + 1 */
#define PANIC 0x505 /* pvpanic */
#define ACPI_POWER 0x604
#define KEYBOARD 0x64

/* The values of Unikraft for the debug exit device. */
#define EXIT_ORDERLY 41
#define EXIT_CRASHED 42

static void power_off(void) __attribute__((noreturn));

void terminate(enum ending ending)
{
	message_info("libkvmplat", "Unikraft halted");
#ifdef CONFIG_KVM_VMM_FIRECRACKER
	out8(KEYBOARD, 0xfe); /* resets the machine, which ends Firecracker */
#endif
	if (ending == CRASH) {
		out16(DEBUG_EXIT, EXIT_CRASHED);
		out8(PANIC, 1);
	} else if (ending == RESTART) {
		out8(KEYBOARD, 0xfe);
	}
	power_off();
}

void terminate_with_code(int code)
{
	if (code != 0)
		out16(DEBUG_EXIT, code & 0x7f);
	terminate(HALT);
}

static void power_off(void)
{
	out16(ACPI_POWER, 0x2000);
	out16(DEBUG_EXIT, EXIT_ORDERLY);
	out8(KEYBOARD, 0xfe);
	for (;;)
		__asm__ volatile("cli; hlt");
}
