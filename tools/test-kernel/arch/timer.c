#include "machine.h"

#define PIT_CHANNEL_2 0x42
#define PIT_COMMAND 0x43
#define PIT_GATE 0x61
#define PIT_HERTZ 1193182
#define SLICE_MICROSECONDS 10000

static void wait_ticks(uint16_t ticks)
{
	out8(PIT_GATE, (in8(PIT_GATE) & ~0x02) | 0x01); /* speaker off, counter on */
	out8(PIT_COMMAND, 0xb0); /* channel 2, low and high byte, count to zero once */
	out8(PIT_CHANNEL_2, ticks & 0xff);
	out8(PIT_CHANNEL_2, ticks >> 8);
	while (!(in8(PIT_GATE) & 0x20))
		__asm__ volatile("pause");
}

void wait_microseconds(uint64_t microseconds)
{
	for (; microseconds > SLICE_MICROSECONDS; microseconds -= SLICE_MICROSECONDS)
		wait_ticks((uint64_t)SLICE_MICROSECONDS * PIT_HERTZ / 1000000);
	wait_ticks(microseconds * PIT_HERTZ / 1000000 + 1);
}
