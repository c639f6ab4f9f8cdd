#pragma once
#include <stddef.h>
#include <sys/types.h>

void console_write(const char *text, size_t size);

/* Reads up to the end of a line, that end included, and echoes what is typed. */
ssize_t console_read_line(char *buffer, size_t size);
