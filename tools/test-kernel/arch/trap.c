#include <stdint.h>
#include "machine.h"
#include "message.h"

struct gate {
	uint16_t offset_low, selector;
	uint8_t stack, type;
	uint16_t offset_middle;
	uint32_t offset_high, reserved;
};

/* The distance between two entries in trap_entry.S. */
#define ENTRY_SIZE 16

static struct gate gates[32];
extern char trap_entries[];

void traps_init(void)
{
	struct { uint16_t limit; uint64_t base; } __attribute__((packed)) pointer = { sizeof(gates) - 1, (uintptr_t)gates };

	for (int number = 0; number < 32; number++) {
		uintptr_t entry = (uintptr_t)trap_entries + number * ENTRY_SIZE;

		gates[number] = (struct gate){
			.offset_low = entry, .offset_middle = entry >> 16, .offset_high = entry >> 32,
			.selector = 0x08, .type = 0x8e,
		};
	}
	__asm__ volatile("lidt %0" : : "m"(pointer));
}

static const char *const names[32] = {
	"divide error", "debug", "nmi", "int3", "overflow", "bounds", "invalid opcode", "device not available",
	"double fault", "", "invalid TSS", "segment not present", "stack segment", "general protection",
	"page fault", "", "coprocessor", "alignment check", "machine check", "SIMD coprocessor",
};

void handle_trap(uint64_t number, uint64_t error, uint64_t instruction)
{
	message("CRIT", "libkvmplat", "Unhandled Trap %d (%s), error code=0x%lx", (int)number,
		names[number] ? names[number] : "", error);
	message("CRIT", "libkvmplat", "RIP: %016lx", instruction);
	if (number == 14) {
		uint64_t address;

		__asm__ volatile("movq %%cr2, %0" : "=r"(address));
		message("CRIT", "libkvmplat", "CR2: %016lx", address);
	}
	message("CRIT", "libkvmplat", "Crashing");
	terminate(CRASH);
}
