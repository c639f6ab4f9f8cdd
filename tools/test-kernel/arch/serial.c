#include "machine.h"

#define COM1 0x3f8
#define LINE_STATUS (COM1 + 5)
#define DATA_READY 0x01
#define TRANSMITTER_EMPTY 0x20

void serial_init(void)
{
	out8(COM1 + 1, 0x00); /* no interrupts */
	out8(COM1 + 3, 0x80); /* the next two registers are the divisor */
	out8(COM1 + 0, 0x01); /* 115200 baud */
	out8(COM1 + 1, 0x00);
	out8(COM1 + 3, 0x03); /* 8 bits, no parity, one stop bit */
	/* Its queues stay as they are: to turn them on would lose what was typed before. */
}

void serial_write(char character)
{
	if (character == '\n')
		serial_write('\r');
	while (!(in8(LINE_STATUS) & TRANSMITTER_EMPTY))
		;
	out8(COM1, character);
}

char serial_read(void)
{
	while (!(in8(LINE_STATUS) & DATA_READY))
		__asm__ volatile("pause");
	return in8(COM1);
}
