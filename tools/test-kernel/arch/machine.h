/* What the rest of the kernel knows of the machine. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum ending { HALT, RESTART, CRASH };

struct boot_information {
	const char *command_line;
	const char *initrd;
	size_t initrd_size;
};

void traps_init(void);
void boot(const struct boot_information *information) __attribute__((noreturn));

void serial_init(void);
void serial_write(char character);
/* Waits for a character. */
char serial_read(void);

void wait_microseconds(uint64_t microseconds);

void terminate(enum ending ending) __attribute__((noreturn));
/* Ends with a code that a monitor with a debug exit device learns; without one, it is an ordinary halt. */
void terminate_with_code(int code) __attribute__((noreturn));

static inline void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void out16(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline void out32(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline uint16_t in16(uint16_t port)
{
	uint16_t value;

	__asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline uint32_t in32(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}
