#include "console.h"
#include "machine.h"

void console_write(const char *text, size_t size)
{
	for (size_t index = 0; index < size; index++)
		serial_write(text[index]);
}

ssize_t console_read_line(char *buffer, size_t size)
{
	size_t length = 0;

	while (length < size) {
		char character = serial_read();

		if (character == '\r')
			character = '\n';
		serial_write(character);
		buffer[length++] = character;
		if (character == '\n')
			break;
	}
	return length;
}
