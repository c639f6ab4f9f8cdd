#include <stddef.h>
#include "machine.h"

#define MULTIBOOT_MAGIC 0x2badb002
#define PVH_MAGIC 0x336ec578

struct multiboot_information {
	uint32_t flags, memory_low, memory_high, boot_device, command_line, module_count, modules;
};

struct multiboot_module {
	uint32_t start, end, string, reserved;
};

struct pvh_start_information {
	uint32_t magic, version, flags, module_count;
	uint64_t modules, command_line;
};

struct pvh_module {
	uint64_t start, size, command_line, reserved;
};

static void *at(uint64_t address)
{
	return (void *)(uintptr_t)address;
}

static struct boot_information from_multiboot(const struct multiboot_information *given)
{
	struct boot_information information = { .command_line = (given->flags & 0x4) ? at(given->command_line) : "" };

	if ((given->flags & 0x8) && given->module_count > 0) {
		const struct multiboot_module *module = at(given->modules);

		information.initrd = at(module->start);
		information.initrd_size = module->end - module->start;
	}
	return information;
}

static struct boot_information from_pvh(const struct pvh_start_information *given)
{
	struct boot_information information = { .command_line = given->command_line ? at(given->command_line) : "" };

	if (given->module_count > 0) {
		const struct pvh_module *module = at(given->modules);

		information.initrd = at(module->start);
		information.initrd_size = module->size;
	}
	return information;
}

/* Called by boot.S. */
void setup(uint32_t magic, uint32_t description)
{
	const struct pvh_start_information *pvh = at(description);
	struct boot_information information = { .command_line = "" };

	serial_init();
	traps_init();
	if (magic == MULTIBOOT_MAGIC)
		information = from_multiboot(at(description));
	else if (pvh->magic == PVH_MAGIC)
		information = from_pvh(pvh);
	boot(&information);
}
