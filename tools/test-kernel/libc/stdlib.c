#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "machine.h"
#include "message.h"

int errno;
static char *no_variables[] = { NULL };
char **environ = no_variables;

char *getenv(const char *name)
{
	size_t size = strlen(name);

	for (char **variable = environ; *variable; variable++)
		if (strncmp(*variable, name, size) == 0 && (*variable)[size] == '=')
			return *variable + size + 1;
	return NULL;
}

void exit(int status)
{
	message_info("libnolibc", "exit called with status %d, halting system", status);
	terminate_with_code(status);
}

void abort(void)
{
	message("CRIT", "libnolibc", "Abnormal termination!");
	terminate(CRASH);
}

static int digit_value(char character)
{
	if (character >= '0' && character <= '9')
		return character - '0';
	character |= 0x20;
	return character >= 'a' && character <= 'z' ? character - 'a' + 10 : 36;
}

long strtol(const char *text, char **end, int base)
{
	const char *from = text;

	while (*from == ' ' || (*from >= '\t' && *from <= '\r'))
		from++;

	int negative = *from == '-';

	if (*from == '-' || *from == '+')
		from++;
	if ((base == 0 || base == 16) && from[0] == '0' && (from[1] | 0x20) == 'x' && digit_value(from[2]) < 16) {
		from += 2;
		base = 16;
	} else if (base == 0) {
		base = *from == '0' ? 8 : 10;
	}

	const char *digits = from;
	unsigned long value = 0;

	while (digit_value(*from) < base)
		value = value * base + digit_value(*from++);
	if (end)
		*end = (char *)(from == digits ? text : from);
	return negative ? -value : value;
}

int atoi(const char *text)
{
	return strtol(text, NULL, 10);
}

unsigned int sleep(unsigned int seconds)
{
	wait_microseconds((uint64_t)seconds * 1000000);
	return 0;
}

int usleep(unsigned int microseconds)
{
	wait_microseconds(microseconds);
	return 0;
}
